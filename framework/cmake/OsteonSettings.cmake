# Compiler, linker and dependency settings that every target of the tree shares.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Executables share the libraries' precompiled header, so they are compiled as the libraries are.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
include(GNUInstallDirs)
# One layout for the build tree and an installation: bin/osteon finds ../lib/libosteon.so and ../lib/osteon/plugins.
set(CMAKE_INSTALL_LIBDIR lib)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Reading LibTorch's headers costs three quarters of a build, so eight files of a target are compiled as one: the first
# build takes a third of the time. Names in anonymous namespaces are therefore unique in their target. Off in the debug
# preset, where a change should compile one file.
option(OSTEON_UNITY "Compile several files of a target together" ON)
set(CMAKE_UNITY_BUILD ${OSTEON_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # The sloppiness is what ccache asks for before it caches precompiled headers.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# LibTorch and Open3D compile with two cores' worth of memory each; more jobs than cores do not pay.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Werror -fno-math-errno)
# GCC 12 sees overlapping and endless copies in std::string's own operator+ at -O3 (GCC bug 105329); there are none.
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
# Reproducible objects: the same source gives the same plugin, and so the same cache keys, wherever it is built.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
if(OSTEON_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PNG REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS filesystem system)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(Torch REQUIRED)
