#include "pool.hpp"

#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#endif

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace headwater {
namespace {

// Have the thread that calls give way a little to those that hand out work and take it in. What waits for these waits
// for everything, and where there are as many of this pool's threads as cores they would get a part of one.
void give_way() {
#ifdef __linux__
    constexpr int niceness = 5;
    const auto self = static_cast<id_t>(syscall(SYS_gettid));
    setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + niceness);  // to try is enough
#endif
}

}  // namespace

Pool::Pool(std::size_t threads) : most_(std::max<std::size_t>(1, threads)) {
    if (pipe(ends_) != 0) throw std::system_error(errno, std::generic_category(), "a pool's pipe");
    for (const int end : ends_) {
        fcntl(end, F_SETFD, FD_CLOEXEC);
        fcntl(end, F_SETFL, O_NONBLOCK);
    }
}

Pool::~Pool() {
    {
        const std::lock_guard<std::mutex> lock(lock_);
        closing_ = true;
    }
    more_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    for (const int end : ends_) close(end);
}

void Pool::add(std::unique_ptr<Task> task) {
    {
        const std::lock_guard<std::mutex> lock(lock_);
        if (waiting_.size() >= idle_ && threads_.size() < most_) {
            try {
                threads_.emplace_back([this] { work(); });
            } catch (const std::system_error&) {
                // No more threads to be had: those that there are do it.
                if (threads_.empty()) throw;
            }
        }
        waiting_.push_back(std::move(task));
    }
    // Whoever is woken may take this thread's core at once, and would wait for the lock then.
    more_.notify_one();
}

bool Pool::is_busy() {
    const std::lock_guard<std::mutex> lock(lock_);
    return running_ + waiting_.size() >= most_;
}

std::vector<std::unique_ptr<Task>> Pool::finished() {
    char bytes[16];
    while (read(ends_[0], bytes, sizeof bytes) < 0 && errno == EINTR) {
    }
    std::vector<std::unique_ptr<Task>> some;
    const std::lock_guard<std::mutex> lock(lock_);
    some.swap(finished_);
    told_ = false;
    ++asked_;
    return some;
}

void Pool::work() {
    give_way();
    std::unique_lock<std::mutex> lock(lock_);
    while (true) {
        ++idle_;
        more_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
        --idle_;
        if (closing_) return;
        std::unique_ptr<Task> task = std::move(waiting_.front());
        waiting_.pop_front();
        ++running_;
        lock.unlock();
        const bool tell = task->run();
        lock.lock();
        --running_;
        finished_.push_back(std::move(task));
        // What a task keeps is not to stay until there is other work.
        const bool at_rest = running_ == 0 && waiting_.empty();
        if (told_ || !(tell || at_rest)) continue;
        const std::uint64_t asked = asked_;
        lock.unlock();
        const char byte = 0;
        while (write(ends_[1], &byte, 1) < 0 && errno == EINTR) {
        }
        lock.lock();
        if (asked == asked_) told_ = true;
    }
}

}  // namespace headwater
