// One search of several parts together, of which some are scanned and others walked. Several threads may do it: each
// takes of what is left.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "best.hpp"
#include "part_walk.hpp"
#include "scan.hpp"
#include "search_codes.hpp"

namespace headwater {

// How they are searched, whatever the query. Those that are scanned have the first numbers.
struct SearchedParts {
    std::vector<Scan> scans;                // without codes, as these differ by query
    std::vector<const SearchCodes*> codes;  // of each scan; nullptr: there are none
    std::vector<PartWalk> walks;

    // Of how many threads each has something to do.
    std::size_t pieces() const { return walks.size() + parts_of(scans); }
};

// A part that is yet to be searched: a walk was in vain.
struct Unfound {
    std::uint32_t part;
    bool exhausted;      // rather than that it led to fewer than are wanted
    std::string damage;  // how its graph is damaged, if it is
};

struct JointFound {
    std::vector<Scored> nearest;  // as many as are wanted, and all that are as near as the last of them; by part and row
    std::vector<Unfound> unfound;
    std::uint64_t compared = 0;  // rows, by walks
};

class JointSearch {
   public:
    // [parts] and [query], [dim] values, are kept for as long.
    JointSearch(const SearchedParts& parts, Measure measure, Level level, const float* query, std::size_t wanted)
        : parts_(parts) {
        search_.measure = measure;
        search_.level = level;
        search_.query = query;
        search_.wanted = wanted;
    }

    Measure measure() const { return search_.measure; }

    // Of what the caller takes. All walks together compare about [budget] rows at most.
    JointFound found_left(std::uint64_t budget);

    // That of what several threads found.
    JointFound put_together(std::vector<JointFound>& found) const;

   private:
    void prepare_scans();

    const SearchedParts& parts_;
    Search search_;
    std::atomic<std::size_t> next_{0};  // the walk that nobody has taken yet
    std::once_flag prepared_;
    std::deque<ScannedCodes> queries_;
};

}  // namespace headwater
