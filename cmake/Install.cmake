# What `cmake --install` and the packages put where. Three components: program, lib, dev.
include(CMakePackageConfigHelpers)

install(TARGETS qosmark RUNTIME COMPONENT program)
install(TARGETS qosmark_shared EXPORT qosmarkTargets
  LIBRARY COMPONENT lib NAMELINK_COMPONENT dev)
install(TARGETS qosmark_static ARCHIVE COMPONENT dev)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/qosmark" TYPE INCLUDE COMPONENT dev FILES_MATCHING PATTERN "*.h")

# --- for who builds against the library ---
file(RELATIVE_PATH PC_UP "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" PC_UP "${PC_UP}")
string(REPLACE ";" " " PC_REQUIRES "${library_requires}")
configure_file("${CMAKE_SOURCE_DIR}/cmake/qosmark.pc.in" "${CMAKE_BINARY_DIR}/qosmark.pc" @ONLY)
set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/qosmark")
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/qosmarkConfig.cmake.in" "${CMAKE_BINARY_DIR}/qosmarkConfig.cmake"
  INSTALL_DESTINATION "${config_dir}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/qosmarkConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/qosmark.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
install(FILES "${CMAKE_BINARY_DIR}/qosmarkConfig.cmake" "${CMAKE_BINARY_DIR}/qosmarkConfigVersion.cmake"
  DESTINATION "${config_dir}" COMPONENT dev)
install(EXPORT qosmarkTargets NAMESPACE qosmark:: DESTINATION "${config_dir}" COMPONENT dev)
file(GLOB examples CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/examples/*.c")
install(FILES ${examples} DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" COMPONENT dev)

# --- for who runs the program ---
file(GLOB documents CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/*.md")
install(CODE "
  set(documents \"${documents}\")
  set(readme \"${CMAKE_SOURCE_DIR}/README.md\")
  set(build \"${CMAKE_BINARY_DIR}\")
  set(docdir \"${CMAKE_INSTALL_DOCDIR}\")
  set(datadir \"${CMAKE_INSTALL_DATADIR}\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/InstallDocuments.cmake\")" COMPONENT program)
set(monitoring "${CMAKE_SOURCE_DIR}/docs/monitoring")
install(FILES "${monitoring}/alerts.yml" "${monitoring}/grafana-dashboard.json"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/qosmark" COMPONENT program)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/docs/schemas" DESTINATION "${CMAKE_INSTALL_DATADIR}/qosmark" COMPONENT program)
install(FILES "${CMAKE_SOURCE_DIR}/packaging/sysusers.d/qosmark.conf" DESTINATION lib/sysusers.d COMPONENT program)

# Manual pages are made of docs/ where lowdown is there; completions: whatever stands in packaging/completions.
find_program(LOWDOWN lowdown)
if(LOWDOWN)
  file(GLOB man_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/man/*.md")
  add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/man.stamp"
    COMMAND "${CMAKE_SOURCE_DIR}/scripts/man" "${CMAKE_BINARY_DIR}/man" ${PROJECT_VERSION}
    COMMAND "${CMAKE_COMMAND}" -E touch "${CMAKE_BINARY_DIR}/man.stamp"
    DEPENDS ${man_sources} "${CMAKE_SOURCE_DIR}/scripts/man" "${CMAKE_SOURCE_DIR}/docs/POLICY.md" "${CMAKE_SOURCE_DIR}/docs/FORMATS.md"
    VERBATIM)
  add_custom_target(man ALL DEPENDS "${CMAKE_BINARY_DIR}/man.stamp")
else()
  message(STATUS "lowdown not found: no manual pages")
endif()
function(install_completion pattern directory name)
  file(GLOB found CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/packaging/completions/${pattern}")
  if(found)
    install(FILES ${found} DESTINATION "${CMAKE_INSTALL_DATADIR}/${directory}" RENAME "${name}" COMPONENT program)
  endif()
endfunction()
install_completion("qosmark.bash" bash-completion/completions qosmark)
install_completion("_qosmark" zsh/site-functions _qosmark)
install_completion("qosmark.fish" fish/vendor_completions.d qosmark.fish)

# What depends on the prefix is decided when it is installed, for `cmake --install --prefix` and the packages have another
# one than the build: units name the program where it is, and what is configuration is in /etc for /usr alone.
file(GLOB units CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/packaging/systemd/*.service")
install(CODE "
  set(units \"${units}\")
  set(policy \"${CMAKE_SOURCE_DIR}/packaging/policy.yaml\")
  set(build \"${CMAKE_BINARY_DIR}\")
  set(bindir \"${CMAKE_INSTALL_BINDIR}\")
  set(mandir \"${CMAKE_INSTALL_MANDIR}\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/InstallSystem.cmake\")" COMPONENT program)

add_custom_target(uninstall VERBATIM
  COMMAND "${CMAKE_COMMAND}" "-DMANIFEST=${CMAKE_BINARY_DIR}/install_manifest.txt"
          "-DPOLICY=${CMAKE_SOURCE_DIR}/packaging/policy.yaml" -P "${CMAKE_SOURCE_DIR}/cmake/Uninstall.cmake")
