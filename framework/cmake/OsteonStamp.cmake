# Writes osteon/build_stamp.hpp: OSTEON_BUILD_STAMP, one word that says what a plugin was made for, readable by people
# and comparable by the host: sdk<version>_<digest of the SDK's declarations>_<compiler>_<standard library ABI>_torch<version>.

set(sdk_versions ${CMAKE_CURRENT_SOURCE_DIR}/sdk_versions.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sdk_versions})
file(STRINGS ${sdk_versions} sdk_version REGEX "^[0-9]")
list(GET sdk_version -1 sdk_version)
string(REGEX REPLACE " .*" "" sdk_version "${sdk_version}")
string(REPLACE "." "_" sdk_version "${sdk_version}")

file(GLOB sdk_headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/osteon/*.hpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sdk_headers})
set(declarations "")
foreach(header IN LISTS sdk_headers)
  # The SDK's comments are all of the // form; they go, so that a comment changes no digest.
  file(READ ${header} code)
  string(REGEX REPLACE "//[^\n]*" "" code "${code}")
  string(REGEX REPLACE "[ \t\n]+" " " code "${code}")
  string(APPEND declarations "${code}\n")
endforeach()
string(SHA256 digest "${declarations}")
string(SUBSTRING ${digest} 0 8 digest)

string(TOLOWER ${CMAKE_CXX_COMPILER_ID} compiler)
string(REGEX MATCH "^[0-9]+" compiler_version ${CMAKE_CXX_COMPILER_VERSION})
string(REPLACE "." "_" torch_version ${Torch_VERSION})
set(abi cxx11)
if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  set(abi cxx98)
endif()
set(sanitizer "")
if(OSTEON_ASAN)
  set(sanitizer _asan)
endif()
set(OSTEON_BUILD_STAMP
    sdk${sdk_version}_${digest}_${compiler}${compiler_version}_${abi}_torch${torch_version}${sanitizer})
configure_file(cmake/build_stamp.hpp.in ${CMAKE_CURRENT_BINARY_DIR}/include/osteon/build_stamp.hpp @ONLY)
