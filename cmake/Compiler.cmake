# Language level, warnings and hardening: one interface target that every room links.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(qosmark_options INTERFACE)
target_compile_definitions(qosmark_options INTERFACE _DEFAULT_SOURCE)
target_include_directories(qosmark_options INTERFACE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
target_compile_options(qosmark_options INTERFACE
  -fvisibility=hidden
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wpointer-arith
  -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wformat=2
  -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference -Wdouble-promotion)

if(QOSMARK_WERROR)
  target_compile_options(qosmark_options INTERFACE -Werror)
endif()

if(QOSMARK_SANITIZE)
  # "thread" is ThreadSanitizer, which cannot be had together with the others; ON is those.
  if(QOSMARK_SANITIZE STREQUAL "thread")
    set(sanitizers thread)
  else()
    set(sanitizers address,undefined)
  endif()
  # -O1 keeps the tests quick; frame pointers keep the traces readable.
  target_compile_options(qosmark_options INTERFACE
    -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g)
  target_link_options(qosmark_options INTERFACE -fsanitize=${sanitizers})
  # gcc's flow analysis reports false null dereferences through the sanitizer's own branches.
  target_compile_options(qosmark_options INTERFACE -Wno-null-dereference)
else()
  target_compile_options(qosmark_options INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-O2> $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>
    -fstack-protector-strong -fstack-clash-protection -g)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i[3-6]86")
    target_compile_options(qosmark_options INTERFACE -fcf-protection=full)
  endif()
  target_link_options(qosmark_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  endif()
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2")
