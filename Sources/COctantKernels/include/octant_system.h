#ifndef OCTANT_SYSTEM_H
#define OCTANT_SYSTEM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* System calls that Swift's libc modules lack or spell differently per platform. Functions that can fail return
   0 or an errno value; none of them touches errno-based state the caller has to read. */

/* Reserves disk space for [0, length) and makes the file at least that long. EOPNOTSUPP: write zeros instead. */
int octant_allocate(int fd, int64_t length);
/* Data and the metadata needed to read it back reach the device (F_FULLFSYNC on Apple systems). */
int octant_sync_data(int fd);
int octant_sync_all(int fd);

/* Values of `advice`: 0 normal, 1 random, 2 sequential, 3 will need, 4 do not need, 5 huge pages. */
int octant_advise(void *start, size_t length, int advice);
/* Faults the pages of a read-only mapping in; falls back to touching one byte per page. */
int octant_populate(const void *start, size_t length);

/* How many pages of [start, start + length) are not in memory; 0 where the system does not tell. */
size_t octant_absent_pages(const void *start, size_t length);
/* Pages of [start, start + length), whole pages of a mapping, that are in memory (in the page cache for files). */
uint64_t octant_cached_pages(const void *start, size_t length);
/* Bytes of the pages of [start, start + length) that are mapped into this process, whole pages. */
uint64_t octant_resident_bytes(const void *start, size_t length);
struct octant_memory_totals {
    uint64_t resident, anonymous, locked;
};
/* Bytes of the process that the system cannot take back: anonymous ones and locked files; 0 where it does not tell. Cheap
   beside octant_read_memory_totals, which walks all pages. */
uint64_t octant_held_memory(void);
/* Bytes of the whole process; zeros where the system does not tell. */
void octant_read_memory_totals(struct octant_memory_totals *totals);
/* Lets the system drop the cached pages of a file's range. */
void octant_drop_cached(int fd, int64_t offset, int64_t length);
/* Where a file's next bytes from offset on lie that are not those of a hole; INT64_MAX: nowhere, offset: unknown. */
int64_t octant_next_data(int fd, int64_t offset);
/* Keeps [start, start + length) in memory; fails where the process may lock no more. */
int octant_lock_memory(const void *start, size_t length);

/* Asks for rows of a mapped file that are about to be read, all of them at once: row i is the `stride` bytes from
   base + ids[i] * stride. Pages that are in memory are left alone; those that are not are counted. */
void octant_ask_rows(const void *base, size_t stride, const uint32_t *ids, size_t count);
/* Pages asked for that were not in memory: by this thread, and by all. */
uint64_t octant_reads_of_thread(void);
uint64_t octant_reads_of_process(void);

int octant_free_space(const char *path, uint64_t *available, uint64_t *total);

/* Tells the processor that this thread is waiting for another in a loop. */
static inline void octant_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

uint64_t octant_thread_id(void);
/* At most 15 bytes are kept on Linux. */
void octant_set_thread_name(const char *name);
/* Niceness of the calling thread (a background quality of service on Apple systems). */
int octant_set_thread_nice(int nice);
/* Returns freed memory to the system where the allocator keeps it (glibc). */
void octant_malloc_trim(void);

/* A condition variable on the monotonic clock. */
int octant_condition_init(pthread_cond_t *condition);
/* 0 when signalled (or spuriously), ETIMEDOUT after `nanoseconds`. */
int octant_condition_wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t nanoseconds);

/* CRC-32C (Castagnoli, reflected 0x82F63B78). crc32c(crc32c(0, a), b) == crc32c(0, ab). */
uint32_t octant_crc32c(uint32_t crc, const void *bytes, size_t count);
/* The table-driven form, for machines without the instruction and for the tests. */
uint32_t octant_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
