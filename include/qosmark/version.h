#ifndef QOSMARK_VERSION_H
#define QOSMARK_VERSION_H

/* The version of these headers. While MAJOR is 0, functions may change between MINOR versions; the number in the name
 * of the shared library (libqosmark.so.0) changes whenever a program would have to be built again. */
#define QOSMARK_VERSION_MAJOR  0
#define QOSMARK_VERSION_MINOR  1
#define QOSMARK_VERSION_PATCH  0
#define QOSMARK_VERSION_STRING "0.1.0"

#if defined(__GNUC__)
#define QOSMARK_API __attribute__((visibility("default")))
#else
#define QOSMARK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is in use, "0.1.0"; that of the headers is QOSMARK_VERSION_STRING. */
QOSMARK_API const char *qosmark_version(void);

#ifdef __cplusplus
}
#endif

#endif
