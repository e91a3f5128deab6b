#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int secret_file_read(const char *path, bool secret, char *to, size_t cap, size_t *ret_len, struct error *error)
{
    struct stat st;
    size_t len = 0;
    int r = 0;
    /* a named pipe would be waited for */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, ERR_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        r = error_set(error, ERR_USAGE, "%s is not a regular file", path);
    else if (secret && (st.st_mode & S_IRWXO))
        r = error_set(error, ERR_USAGE,
                      "%s can be read or changed by every user of this machine, and holds a secret: chmod o= %s", path,
                      path);
    while (r == 0 && len < cap) {
        ssize_t n = read(fd, to + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = error_set(error, ERR_IO, "%s: %s", path, strerror(errno));
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    (void)close(fd);
    *ret_len = len;
    return r;
}
