// The routes under /api/v1, and the document that describes them all.
#pragma once

#include "app/api_keys.h"
#include "app/current_config.h"
#include "http/router.h"
#include "postgres/pool.h"

namespace auren::app {

class Api {
 public:
  Api(const CurrentConfig* config, postgres::Pool* pool, ApiKeys* keys)
      : config_(config), pool_(pool), keys_(keys) {}

  // What is in the contract but not built yet answers 501, after the key is checked.
  void AddTo(http::Router* router);

 private:
  http::Response Mode(http::Request& request);
  http::Response Delivery(http::Request& request);
  http::Response NotBuilt(http::Request& request);

  const CurrentConfig* config_;
  postgres::Pool* pool_;
  ApiKeys* keys_;
};

}  // namespace auren::app
