# qosmark_room(NAME DEPENDS other rooms or imported targets...)
#
# One static library a folder of src/. The sources are globbed (and the glob is checked at each build), so that adding
# a file to a room is adding a file to its folder; what a room may use is what its DEPENDS names, and
# tests/rooms.py holds the includes against that.
function(qosmark_room name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
  if(NOT sources)
    message(FATAL_ERROR "the room ${name} has no sources")
  endif()
  add_library(room_${name} STATIC ${sources})
  target_link_libraries(room_${name} PUBLIC qosmark_options)
  foreach(dependency ${ARG_DEPENDS})
    if(TARGET room_${dependency})
      target_link_libraries(room_${name} PUBLIC room_${dependency})
    else()
      target_link_libraries(room_${name} PUBLIC ${dependency})
    endif()
  endforeach()
endfunction()
