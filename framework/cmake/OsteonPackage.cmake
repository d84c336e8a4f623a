# `cpack` makes a Debian package of what `cmake --install` installs: the command, its plugins, the experiment files, and the
# CMake package with which plugins are built. scripts/package calls it and tries the result on a bare Debian.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME osteon)
set(CPACK_PACKAGE_CONTACT "The Osteon developers <developers@osteon.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
# A stripped plugin is none: which plugin a library holds, and for which host, is read from its table of symbols before it is
# loaded.
set(CPACK_STRIP_FILES OFF)
set(CPACK_THREADS 0)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# Libraries come from what the files link to.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/lib)
# What no file links to by name: the BLAS that is 30 times faster than the reference one.
set(CPACK_DEBIAN_PACKAGE_DEPENDS libopenblas0-pthread)
# To build plugins (`osteon new`), and to run sweeps on a cluster.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "g++, cmake, ninja-build, libtorch-dev, libgloo-dev, libgtest-dev, libbenchmark-dev")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS slurm-client)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Runs ablation experiments from TOML files: artificial X-rays of CT scans,
networks trained to give each X-ray a fingerprint, identification and 3D
shape of bones from two X-rays. Research software, not for clinical use.")
include(CPack)
