# Libraries of the distribution; docs/ARCHITECTURE.md says what each is for and why this one.
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
find_package(Threads REQUIRED)

if(QOSMARK_WITH_LDNS)
  pkg_check_modules(LDNS IMPORTED_TARGET libldns)
  if(NOT LDNS_FOUND)
    # Debian 12 and Ubuntu 22.04 name the pkg-config file ldns.pc
    pkg_check_modules(LDNS IMPORTED_TARGET ldns)
  endif()
  if(NOT LDNS_FOUND)
    message(STATUS "libldns not found: built without --discover")
  endif()
endif()

# What makes and answers probes. Without one of them the rest builds, and `qosmark --version` says what was left out.
pkg_check_modules(OPENSSL IMPORTED_TARGET openssl)
pkg_check_modules(CAPNG IMPORTED_TARGET libcap-ng)
pkg_check_modules(SECCOMP IMPORTED_TARGET libseccomp)
pkg_check_modules(MICROHTTPD IMPORTED_TARGET libmicrohttpd)
# libnet 1.1.6 of Debian 12 has no pkg-config file
find_path(LIBNET_INCLUDE_DIR libnet.h)
find_library(LIBNET_LIBRARY net)
foreach(optional OPENSSL CAPNG SECCOMP MICROHTTPD)
  if(NOT ${optional}_FOUND)
    message(STATUS "${optional} not found: built without what it is for")
  endif()
endforeach()

if(QOSMARK_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
