# libqosmark, shared and static, of the room lib and what it needs of the rooms below it.
#
# Only qosmark_* is seen from outside. The shared library says so in a version script. In the static one all objects
# that are needed are linked into a single one, in which what is hidden (-fvisibility=hidden, so all but the public
# functions) is made local: a program may have a `struct document` and a `policy_load` of its own.

# The version stands in include/qosmark/version.h too, which needs no build to be read.
file(STRINGS "${CMAKE_SOURCE_DIR}/include/qosmark/version.h" header_version REGEX "define QOSMARK_VERSION_STRING")
if(NOT header_version MATCHES "\"${PROJECT_VERSION}\"")
  message(FATAL_ERROR "include/qosmark/version.h and the root CMakeLists.txt have different versions")
endif()
file(STRINGS "${CMAKE_SOURCE_DIR}/include/qosmark/version.h" header_numbers REGEX "define QOSMARK_VERSION_(MAJOR|MINOR|PATCH)")
string(REGEX REPLACE "[^0-9;]" "" header_numbers "${header_numbers}")
string(REPLACE ";" "." header_numbers "${header_numbers}")
if(NOT header_numbers STREQUAL PROJECT_VERSION)
  message(FATAL_ERROR "the numbers in include/qosmark/version.h are ${header_numbers}, not ${PROJECT_VERSION}")
endif()

set(library_rooms engine anonymize report policy stream classify generate probe decode capture model base)

add_library(qosmark_shared SHARED $<TARGET_OBJECTS:room_lib>)
target_link_libraries(qosmark_shared PRIVATE room_engine room_report)
target_link_options(qosmark_shared PRIVATE
  "LINKER:--version-script=${CMAKE_SOURCE_DIR}/cmake/libqosmark.map" LINKER:--as-needed)
if(NOT QOSMARK_SANITIZE)
  # what the sanitizers call is in the program
  target_link_options(qosmark_shared PRIVATE LINKER:--no-undefined)
endif()
set_target_properties(qosmark_shared PROPERTIES
  OUTPUT_NAME qosmark VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} EXPORT_NAME qosmark
  LINK_DEPENDS "${CMAKE_SOURCE_DIR}/cmake/libqosmark.map" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
target_include_directories(qosmark_shared INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(one_object "${CMAKE_CURRENT_BINARY_DIR}/libqosmark.o")
set(relocatable -r -nostdlib)
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  list(APPEND relocatable -O2 -flto -flinker-output=nolto-rel)
endif()
set(localize --localize-hidden)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  list(APPEND localize --strip-debug)
endif()
set(library_archives)
foreach(room ${library_rooms})
  list(APPEND library_archives $<TARGET_FILE:room_${room}>)
endforeach()
add_custom_command(OUTPUT "${one_object}"
  COMMAND "${CMAKE_C_COMPILER}" ${relocatable} -o "${one_object}" $<TARGET_OBJECTS:room_lib>
          -Wl,--start-group ${library_archives} -Wl,--end-group
  COMMAND "${CMAKE_OBJCOPY}" ${localize} "${one_object}"
  DEPENDS $<TARGET_OBJECTS:room_lib> room_lib ${library_archives} VERBATIM COMMAND_EXPAND_LISTS)
add_library(qosmark_static STATIC "${one_object}")
set_source_files_properties("${one_object}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
set_target_properties(qosmark_static PROPERTIES
  OUTPUT_NAME qosmark LINKER_LANGUAGE C ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

# What the static library needs beside it: what the rooms in it link. pkg-config files of the distribution name these.
set(library_requires libpcap libarchive libfyaml)
if(ZLIB_FOUND)
  list(APPEND library_requires zlib)
endif()
if(QOSMARK_WITH_LDNS AND LDNS_FOUND)
  list(APPEND library_requires ${LDNS_PACKAGE})
endif()
if(QOSMARK_WITH_OPENSSL AND OPENSSL_FOUND)
  list(APPEND library_requires libcrypto)
endif()
