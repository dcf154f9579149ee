#include "app/file_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace auren::app {

FileWatch::FileWatch(std::vector<std::string> paths)
    : paths_(std::move(paths)), seen_(Fingerprint()) {}

bool FileWatch::Changed() {
  std::string now = Fingerprint();
  if (now == seen_) return false;
  seen_ = std::move(now);
  return true;
}

std::string FileWatch::Fingerprint() const {
  std::vector<std::string> files;
  for (const std::string& path : paths_) {
    if (path.empty()) continue;
    files.push_back(path);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::string print;
  for (const std::string& file : files) {
    struct stat info {};
    if (stat(file.c_str(), &info) != 0) continue;
    for (const auto number :
         {static_cast<long>(info.st_dev), static_cast<long>(info.st_ino),
          static_cast<long>(info.st_size), static_cast<long>(info.st_mtim.tv_sec),
          static_cast<long>(info.st_mtim.tv_nsec)}) {
      print += std::to_string(number) + " ";
    }
    print += file + "\n";
  }
  return print;
}

}  // namespace auren::app
