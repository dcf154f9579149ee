// The one Device there is: it does what its file says.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "devices/device.h"
#include "devices/json.h"
#include "devices/people.h"
#include "devices/spec.h"

namespace auren::devices {

class FileDevice : public Device {
 public:
  explicit FileDevice(std::unique_ptr<Spec> spec) : spec_(std::move(spec)) {}

  // Resolves a shape's `as`. REQUIRES: `other` outlives this.
  void Know(const FileDevice* other) { others_[other->provider()] = other; }

  const std::string& provider() const override { return spec_->provider; }
  std::size_t max_body_bytes() const override { return spec_->body_limit; }
  bool accepts_form() const override { return spec_->form; }
  double ack_deadline_seconds() const override { return spec_->deadline_seconds; }
  int success_status() const override { return spec_->success; }
  std::vector<std::string> methods() const override;
  std::vector<std::string> mapping_headers() const override;
  std::vector<std::string> event_types() const override { return spec_->event_types; }
  std::vector<std::string> secret_names() const override { return spec_->secrets; }
  std::string secrets_from() const override { return spec_->secrets_from; }
  const Spec& spec() const { return *spec_; }

  Verdict Verify(const Request& request, const Secrets& secrets) const override;
  Mapped Map(const Request& request, const Verdict& verdict) const override;

 private:
  Verdict AnswerHandshake(const Request& request, const Secrets& secrets) const;
  const Shape* FindShape(Json root) const;
  Mapped MapBody(Json root, const Request& request, const Verdict& verdict) const;
  // Adds what `item` says of one person; a problem when it cannot be used.
  Mapped AddPerson(const Shape& shape, Json item, const Request& request, const Verdict& verdict,
                   std::vector<Person>* people) const;
  Mapped ResolveUser(const Shape& shape, Json item, const Request& request, const Verdict& verdict,
                     Person* person) const;
  std::string DeliveryKey(Json root, const Request& request) const;

  std::unique_ptr<Spec> spec_;
  std::map<std::string, const FileDevice*, std::less<>> others_;
};

}  // namespace auren::devices
