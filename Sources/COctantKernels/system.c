#include "octant_system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#endif

int octant_allocate(int fd, int64_t length) {
#if defined(__linux__)
    int result;
    do {
        result = fallocate(fd, 0, 0, (off_t)length);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
#elif defined(__APPLE__)
    fstore_t store = {F_ALLOCATEALL, F_PEOFPOSMODE, 0, (off_t)length, 0};
    if (fcntl(fd, F_PREALLOCATE, &store) == -1) return errno == ENOTSUP ? EOPNOTSUPP : errno;
    return ftruncate(fd, (off_t)length) == 0 ? 0 : errno;
#else
    (void)fd;
    (void)length;
    return EOPNOTSUPP;
#endif
}

int octant_sync_data(int fd) {
#if defined(__APPLE__)
    return octant_sync_all(fd);
#else
    return fdatasync(fd) == 0 ? 0 : errno;
#endif
}

int octant_sync_all(int fd) {
#if defined(__APPLE__)
    /* fsync alone leaves the bytes in the drive's cache there. File systems without F_FULLFSYNC get fsync. */
    if (fcntl(fd, F_FULLFSYNC) == 0) return 0;
    if (errno != ENOTSUP && errno != EINVAL) return errno;
#endif
    return fsync(fd) == 0 ? 0 : errno;
}

int octant_advise(void *start, size_t length, int advice) {
#ifndef MADV_HUGEPAGE
#define MADV_HUGEPAGE MADV_NORMAL
#endif
    static const int values[] = {MADV_NORMAL,   MADV_RANDOM,   MADV_SEQUENTIAL,
                                 MADV_WILLNEED, MADV_DONTNEED, MADV_HUGEPAGE};
    if (advice < 0 || advice > 5) return EINVAL;
    return madvise(start, length, values[advice]) == 0 ? 0 : errno;
}

int octant_populate(const void *start, size_t length) {
#if defined(__linux__)
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
    if (madvise((void *)start, length, MADV_POPULATE_READ) == 0) return 0;
    if (errno != EINVAL) return errno;
#endif
    long page = sysconf(_SC_PAGESIZE);
    if (page <= 0) page = 4096;
    const volatile unsigned char *bytes = start;
    unsigned char sink = 0;
    for (size_t offset = 0; offset < length; offset += (size_t)page) sink ^= bytes[offset];
    (void)sink;
    return 0;
}

uint64_t octant_cached_pages(const void *start, size_t length) {
#if defined(__linux__)
    long page = sysconf(_SC_PAGESIZE);
    if (page <= 0) return 0;
    unsigned char states[4096];
    uint64_t cached = 0;
    const char *at = start;
    size_t left = (length + (size_t)page - 1) / (size_t)page;
    while (left > 0) {
        size_t count = left < sizeof states ? left : sizeof states;
        if (mincore((void *)at, count * (size_t)page, states) != 0) return cached;
        for (size_t i = 0; i < count; i++) cached += states[i] & 1;
        at += count * (size_t)page;
        left -= count;
    }
    return cached;
#else
    (void)start;
    (void)length;
    return 0;
#endif
}

void octant_drop_cached(int fd, int64_t offset, int64_t length) {
#if defined(__linux__)
    (void)posix_fadvise(fd, (off_t)offset, (off_t)length, POSIX_FADV_DONTNEED);
#else
    (void)fd;
    (void)offset;
    (void)length;
#endif
}

int64_t octant_next_data(int fd, int64_t offset) {
#if defined(SEEK_DATA)
    off_t found = lseek(fd, (off_t)offset, SEEK_DATA);
    if (found >= (off_t)offset) return (int64_t)found;
    if (found < 0 && errno == ENXIO) return INT64_MAX;
#else
    (void)fd;
#endif
    return offset;
}

int octant_lock_memory(const void *start, size_t length) { return mlock(start, length) == 0 ? 0 : errno; }

int octant_free_space(const char *path, uint64_t *available, uint64_t *total) {
    struct statvfs info;
    if (statvfs(path, &info) != 0) return errno;
    *available = (uint64_t)info.f_bavail * (uint64_t)info.f_frsize;
    *total = (uint64_t)info.f_blocks * (uint64_t)info.f_frsize;
    return 0;
}

uint64_t octant_thread_id(void) {
#if defined(__linux__)
    return (uint64_t)syscall(SYS_gettid);
#elif defined(__APPLE__)
    uint64_t id = 0;
    pthread_threadid_np(NULL, &id);
    return id;
#else
    return 0;
#endif
}

void octant_set_thread_name(const char *name) {
#if defined(__linux__)
    char kept[16] = {0};
    for (int i = 0; i < 15 && name[i] != 0; i++) kept[i] = name[i];
    pthread_setname_np(pthread_self(), kept);
#elif defined(__APPLE__)
    pthread_setname_np(name);
#else
    (void)name;
#endif
}

int octant_set_thread_nice(int nice_value) {
#if defined(__linux__)
    return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice_value) == 0 ? 0 : errno;
#elif defined(__APPLE__)
    return pthread_set_qos_class_self_np(nice_value > 0 ? QOS_CLASS_UTILITY : QOS_CLASS_USER_INITIATED, 0);
#else
    (void)nice_value;
    return 0;
#endif
}

void octant_malloc_trim(void) {
#if defined(__linux__) && defined(__GLIBC__)
    malloc_trim(0);
#endif
}

int octant_condition_init(pthread_cond_t *condition) {
#if defined(__APPLE__)
    return pthread_cond_init(condition, NULL); /* waits are relative there, see below */
#else
    pthread_condattr_t attributes;
    int result = pthread_condattr_init(&attributes);
    if (result != 0) return result;
    result = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (result == 0) result = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return result;
#endif
}

int octant_condition_wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t nanoseconds) {
    struct timespec when;
#if defined(__APPLE__)
    when.tv_sec = (time_t)(nanoseconds / 1000000000u);
    when.tv_nsec = (long)(nanoseconds % 1000000000u);
    return pthread_cond_timedwait_relative_np(condition, mutex, &when);
#else
    clock_gettime(CLOCK_MONOTONIC, &when);
    uint64_t nano = (uint64_t)when.tv_nsec + nanoseconds % 1000000000u;
    when.tv_sec += (time_t)(nanoseconds / 1000000000u + nano / 1000000000u);
    when.tv_nsec = (long)(nano % 1000000000u);
    return pthread_cond_timedwait(condition, mutex, &when);
#endif
}

size_t octant_absent_pages(const void *start, size_t length) {
    size_t absent = 0;
#if defined(__linux__)
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t at = (uintptr_t)start & ~(page - 1);
    const uintptr_t end = (uintptr_t)start + length;
    while (at < end) {
        unsigned char resident[256];
        size_t pages = (end - at + page - 1) / page;
        if (pages > sizeof resident) pages = sizeof resident;
        if (mincore((void *)at, pages * page, resident) != 0) return absent;
        for (size_t i = 0; i < pages; i++) absent += (resident[i] & 1) == 0;
        at += pages * page;
    }
#else
    (void)start;
    (void)length;
#endif
    return absent;
}
