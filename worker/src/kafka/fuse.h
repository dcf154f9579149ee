// The fuse of one partition: when nearly everything is refused, the fault is a deployment's and not
// the records', and draining the topic into the dead letters would help nobody.
#pragma once

#include <bitset>
#include <cstddef>

namespace auren::kafka {

class Fuse {
 public:
  static constexpr int kInARow = 50;
  static constexpr std::size_t kWindow = 1000;

  // Counts one record; true once kInARow of them were refused one after the other, or over half of
  // the last kWindow.
  bool Blown(bool refused) {
    in_a_row_ = refused ? in_a_row_ + 1 : 0;
    in_window_ += static_cast<std::size_t>(refused) - static_cast<std::size_t>(window_[next_]);
    window_[next_] = refused;
    next_ = (next_ + 1) % kWindow;
    return in_a_row_ >= kInARow || in_window_ > kWindow / 2;
  }

 private:
  std::bitset<kWindow> window_;
  std::size_t next_ = 0, in_window_ = 0;
  int in_a_row_ = 0;
};

}  // namespace auren::kafka
