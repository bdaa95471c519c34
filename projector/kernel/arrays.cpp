#include "arrays.hpp"

namespace headwater {

Level level_named(const std::optional<std::string>& name) {
    if (!name) return best_level();
    if (*name == "baseline") return Level::baseline;
    if (*name == "avx2") return Level::avx2;
    require(*name == "avx512", "no such level");
    return Level::avx512;
}

Datatype datatype_of(const pybind11::array& vectors) {
    const char kind = vectors.dtype().kind();
    const auto width = vectors.itemsize();
    if (kind == 'f' && width == 4) return Datatype::float32;
    if (kind == 'f' && width == 2) return Datatype::float16;
    require(kind == 'u' && width == 1, "vectors are float32, float16 or uint8");
    return Datatype::uint8;
}

void require_matrix(const pybind11::array& vectors) {
    require(vectors.ndim() == 2 && (vectors.shape(1) < 2 || vectors.strides(1) == vectors.itemsize()),
            "vectors are a matrix whose rows lie in one piece each");
    require(vectors.shape(0) < 2 || vectors.strides(0) >= vectors.itemsize() * vectors.shape(1),
            "vectors are a matrix of rows one after another");
}

}  // namespace headwater
