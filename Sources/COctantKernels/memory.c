#include "octant_system.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t octant_resident_bytes(const void *start, size_t length) {
#if defined(__linux__)
    long page = sysconf(_SC_PAGESIZE);
    if (page <= 0 || length == 0) return 0;
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    uint64_t entries[4096];
    uint64_t present = 0;
    uint64_t at = (uint64_t)(uintptr_t)start / (uint64_t)page;
    uint64_t end = ((uint64_t)(uintptr_t)start + length + (uint64_t)page - 1) / (uint64_t)page;
    while (at < end) {
        size_t wanted = end - at < 4096 ? (size_t)(end - at) : 4096;
        ssize_t bytes = pread(file, entries, wanted * 8, (off_t)(at * 8));
        if (bytes < 8) break;
        size_t count = (size_t)bytes / 8;
        for (size_t i = 0; i < count; i++) present += entries[i] >> 63;
        at += count;
    }
    close(file);
    return present * (uint64_t)page;
#else
    (void)start;
    (void)length;
    return 0;
#endif
}

#if defined(__linux__)
/* The kilobytes after a name in the text of /proc/self/status. */
static uint64_t kilobytes_of(const char *text, const char *name) {
    const char *found = strstr(text, name);
    unsigned long long value = 0;
    return found != NULL && sscanf(found + strlen(name), " %llu", &value) == 1 ? (uint64_t)value << 10 : 0;
}
#endif

uint64_t octant_held_memory(void) {
#if defined(__linux__)
    char text[4096];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t bytes = read(file, text, sizeof text - 1);
    close(file);
    if (bytes <= 0) return 0;
    text[bytes] = 0;
    return kilobytes_of(text, "RssAnon:") + kilobytes_of(text, "VmLck:");
#else
    return 0;
#endif
}

void octant_read_memory_totals(struct octant_memory_totals *totals) {
    memset(totals, 0, sizeof *totals);
#if defined(__linux__)
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    if (file == NULL) return;
    char line[256];
    unsigned long long kilobytes;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Rss: %llu kB", &kilobytes) == 1) totals->resident = kilobytes << 10;
        if (sscanf(line, "Anonymous: %llu kB", &kilobytes) == 1) totals->anonymous = kilobytes << 10;
        if (sscanf(line, "Locked: %llu kB", &kilobytes) == 1) totals->locked = kilobytes << 10;
    }
    fclose(file);
#endif
}
