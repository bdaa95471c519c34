// A pool of threads beside Python's: they know nothing of the interpreter; to wait for them is to wait for a pipe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace headwater {

struct Task {
    virtual ~Task() = default;
    // On a thread of the pool; all else of a task is for who added it. Whether that one is to be told of the end now,
    // rather than with another task's, or once the pool is at rest.
    virtual bool run() noexcept = 0;
};

class Pool {
   public:
    explicit Pool(std::size_t threads);
    ~Pool();  // what has not begun is dropped
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    void add(std::unique_ptr<Task> task);
    std::vector<std::unique_ptr<Task>> finished();  // since it was last asked, in the order in which they ended
    int descriptor() const { return ends_[0]; }     // to be read from when there is something to be told of
    std::size_t threads() const { return most_; }
    bool is_busy();  // whether all of them have something to do

   private:
    void work();

    int ends_[2];
    std::size_t most_;
    std::mutex lock_;
    std::condition_variable more_;
    std::deque<std::unique_ptr<Task>> waiting_;
    std::vector<std::unique_ptr<Task>> finished_;
    std::vector<std::thread> threads_;  // begun when there is work for them
    std::size_t idle_ = 0;
    std::size_t running_ = 0;  // tasks that are taken and have not ended
    std::uint64_t asked_ = 0;  // how many times [finished] was asked
    bool told_ = false;        // whether something was written to the pipe since
    bool closing_ = false;
};

}  // namespace headwater
