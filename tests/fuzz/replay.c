/*
 * Runs a fuzz target over files and folders of files, for builds without libFuzzer. Each input lies in a heap block of
 * exactly its size, so that AddressSanitizer sees a read one byte too far. No input at all is a failure.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return false;
    }
    struct stat info;
    bool good = fstat(fileno(file), &info) == 0;
    size_t size = good ? (size_t)info.st_size : 0;
    uint8_t *bytes = malloc(size);
    good = good && (size == 0 || (bytes && fread(bytes, 1, size, file) == size));
    fclose(file);
    if (!good) {
        fprintf(stderr, "%s cannot be read\n", path);
    } else {
        /* before the run: what fails names its input this way */
        printf("%s\n", path);
        fflush(stdout);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    free(bytes);
    return good;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* How many inputs were run; -1 where one could not be read. */
static long run_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_input, alphasort);
    if (count < 0) {
        perror(path);
        return -1;
    }
    long ran = 0;
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (ran >= 0)
            ran = run_file(name) ? ran + 1 : -1;
        free(entries[i]);
    }
    free(entries);
    return ran;
}

int main(int argc, char **argv)
{
    long ran = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        long more = 0;
        if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode))
            more = run_folder(argv[i]);
        else
            more = run_file(argv[i]) ? 1 : -1;
        if (more < 0)
            return 1;
        ran += more;
    }
    printf("%ld inputs ran\n", ran);
    if (ran == 0)
        fprintf(stderr, "there was no input to run\n");
    return ran ? 0 : 1;
}
