// Notices that any of the configuration's files changed: written, renamed over, added or removed.
#pragma once

#include <string>
#include <vector>

namespace auren::app {

class FileWatch {
 public:
  // Folders stand for the files in them. Empty names are skipped.
  explicit FileWatch(std::vector<std::string> paths);

  // True once after each change.
  bool Changed();

 private:
  std::string Fingerprint() const;  // device, inode, size and time of change of each file

  std::vector<std::string> paths_;
  std::string seen_;
};

}  // namespace auren::app
