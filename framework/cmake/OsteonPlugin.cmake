# add_osteon_plugin(KIND NAME [SUPPORT LIBRARY] [NEEDS ITK|OPEN3D] [LIBRARIES TARGET…])
#
# One shared library from every .cpp of the calling folder, put where the host looks: plugins/KIND/NAME.so. Works in the
# tree and, through find_package(Osteon), outside it. SUPPORT links one library of plugins/support; NEEDS leaves the plugin
# out, with a message, when that dependency is switched off. NAME.txt beside the library is the documentation on top of
# NAME.cpp, which `osteon docs` shows.

function(add_osteon_plugin kind name)
  cmake_parse_arguments(ARG "" "SUPPORT;NEEDS" "LIBRARIES" ${ARGN})
  if(ARG_NEEDS AND DEFINED OSTEON_WITH_${ARG_NEEDS} AND NOT OSTEON_WITH_${ARG_NEEDS})
    message(STATUS "Leaving out ${kind}/${name}: OSTEON_WITH_${ARG_NEEDS} is OFF")
    return()
  endif()
  if(NOT name MATCHES "^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
    message(FATAL_ERROR "A plugin's name is lower case letters, digits and single underscores between them: ${name}")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cpp ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|benchmark)\\.cpp$")
  list(REMOVE_DUPLICATES sources)
  set(target ${kind}_${name})
  add_library(${target} MODULE ${sources})
  target_link_libraries(${target} PRIVATE Osteon::osteon ${ARG_LIBRARIES})
  if(ARG_SUPPORT)
    target_link_libraries(${target} PRIVATE osteon_support_${ARG_SUPPORT})
  endif()
  if(CMAKE_PROJECT_NAME STREQUAL Osteon)
    set(folder ${CMAKE_BINARY_DIR}/lib/osteon/plugins/${kind})
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/osteon/plugins/${kind})
    install(FILES ${folder}/${name}.txt DESTINATION ${CMAKE_INSTALL_LIBDIR}/osteon/plugins/${kind} OPTIONAL)
    set_property(GLOBAL APPEND PROPERTY OSTEON_PLUGIN_TARGETS ${target})
  else()
    set(folder ${CMAKE_BINARY_DIR})
  endif()
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cpp)
  if(EXISTS ${source})
    add_custom_command(OUTPUT ${folder}/${name}.txt
      COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
      COMMAND sed -n -e [[/^\/\//!q]] -e [[s/^\/\/ \{0,1\}//p]] ${source} > ${folder}/${name}.txt
      DEPENDS ${source} VERBATIM)
    target_sources(${target} PRIVATE ${folder}/${name}.txt)
  endif()
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${folder}
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    INSTALL_RPATH "$ORIGIN/../../..")
endfunction()

# add_osteon_plugin_program(KIND NAME PROGRAM LIBRARY…)
#
# PROGRAM, a test or benchmark of one plugin, from PROGRAM.cpp. It opens the built library (osteon/testing/plugin_library.hpp),
# whose path is the macro PLUGIN_LIBRARY.
function(add_osteon_plugin_program kind name program)
  add_executable(${program} ${program}.cpp)
  target_link_libraries(${program} PRIVATE Osteon::osteon ${ARGN} ${CMAKE_DL_LIBS})
  target_compile_definitions(${program} PRIVATE PLUGIN_LIBRARY="$<TARGET_FILE:${kind}_${name}>")
  add_dependencies(${program} ${kind}_${name})
endfunction()
