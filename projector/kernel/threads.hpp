// Threads that share the work of one call.
#pragma once

#include <cstddef>
#include <functional>

namespace headwater {

// Call [work] with 0 to [count] - 1, on at most [threads] threads, this one among them. What one throws is thrown
// here, once all have ended.
void share(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work);

}  // namespace headwater
