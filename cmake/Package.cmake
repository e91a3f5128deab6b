# `cpack -G DEB` in the build folder: qosmark, libqosmark0 and libqosmark-dev. Configure with
# -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_BUILD_TYPE=Release, so that libraries go where Debian has them.
set(QOSMARK_MAINTAINER "the qosmark authors <qosmark@qosmark.invalid>" CACHE STRING "Maintainer of the packages")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME qosmark)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "check the DSCP marks of conference traffic")
set(CPACK_PACKAGE_VENDOR "the qosmark authors")
set(CPACK_PACKAGE_CONTACT "${QOSMARK_MAINTAINER}")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/packages")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program lib dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${QOSMARK_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(debian "${CMAKE_SOURCE_DIR}/packaging/debian")
file(STRINGS "${debian}/changelog" newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^qosmark \\(${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}\\)")
  message(FATAL_ERROR "packaging/debian/changelog does not begin with ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
endif()

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME qosmark)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "wireshark, systemd | systemd-sysusers, prometheus, grafana")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA
  "${debian}/conffiles;${debian}/postinst;${debian}/prerm;${debian}/postrm")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "qosmark tells, with evidence, whether conference traffic (SIP, RTP, XMPP,
TURN and what belongs to it) carries the DSCP marks that it should, and where
and why it does not. It audits captures, watches traffic as it passes, and
sends probes to find the segment of a path that changes a mark.")

set(CPACK_DEBIAN_LIB_PACKAGE_NAME libqosmark${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIB_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIB_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA "${debian}/triggers")
set(CPACK_DEBIAN_LIB_DESCRIPTION "libqosmark audits captures of conference traffic, or packets that a program
hands to it, and tells which streams do not carry the DSCP marks that they
should. This package has the shared library.")

# Requires.private of the pkg-config file names what the static library needs, and pkg-config asks for it always
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libqosmark-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)
set(dev_packages libpcap-dev libarchive-dev libfyaml-dev)
foreach(pair "zlib=zlib1g-dev" "ldns=libldns-dev" "libldns=libldns-dev" "libcrypto=libssl-dev")
  string(REGEX MATCH "^([^=]*)=(.*)$" matched "${pair}")
  if(CMAKE_MATCH_1 IN_LIST library_requires)
    list(APPEND dev_packages ${CMAKE_MATCH_2})
  endif()
endforeach()
list(JOIN dev_packages ", " dev_packages)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "${CPACK_DEBIAN_LIB_PACKAGE_NAME} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), ${dev_packages}")
set(CPACK_DEBIAN_DEV_DESCRIPTION "libqosmark audits captures of conference traffic, or packets that a program
hands to it, and tells which streams do not carry the DSCP marks that they
should. This package has headers, the static library and an example.")

# copyright, changelog, gzip: what Debian wants beside what is installed
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_SOURCE_DIR}/cmake/PackageDebian.cmake")
# cpack adds scripts that call ldconfig, which the trigger does already
set(CPACK_POST_BUILD_SCRIPTS "${CMAKE_SOURCE_DIR}/cmake/PackageTrigger.cmake")
set(CPACK_QOSMARK_DEBIAN "${debian}")
set(CPACK_QOSMARK_PACKAGES "program=qosmark;lib=${CPACK_DEBIAN_LIB_PACKAGE_NAME};dev=libqosmark-dev")
include(CPack)
