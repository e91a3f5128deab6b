# Run by `cmake --install`: README and docs/ into one folder, with links that lead to what is installed. cmake/Install.cmake
# sets documents, readme, build, docdir and datadir.
#
# Schemas and what a Prometheus and a Grafana load lie in share/qosmark, where programs look for them. What is for those
# who have the sources keeps its name and is no link.
file(RELATIVE_PATH data "/${docdir}" "/${datadir}/qosmark")
foreach(document ${documents} ${readme})
  get_filename_component(name "${document}" NAME)
  file(READ "${document}" text)
  if(document STREQUAL readme)
    string(REGEX REPLACE "\\[([^]]*)\\]\\((captures/README|CONTRIBUTING|CHANGELOG)\\.md\\)" "\\1" text "${text}")
    string(REPLACE "](docs/" "](" text "${text}")
    string(REPLACE "[docs/" "[" text "${text}")
  endif()
  string(REPLACE "](schemas/" "](${data}/schemas/" text "${text}")
  string(REPLACE "](monitoring/" "](${data}/" text "${text}")
  file(WRITE "${build}/documents/${name}" "${text}")
  file(INSTALL "${build}/documents/${name}" DESTINATION "${CMAKE_INSTALL_PREFIX}/${docdir}")
endforeach()
