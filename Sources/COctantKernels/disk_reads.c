#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "octant_system.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

static _Thread_local uint64_t thread_reads;
static _Atomic uint64_t process_reads;

uint64_t octant_reads_of_thread(void) { return thread_reads; }
uint64_t octant_reads_of_process(void) { return atomic_load_explicit(&process_reads, memory_order_relaxed); }

enum { pieces_max = 256 };

struct piece {
    uintptr_t from, to;
};

#if defined(__linux__)
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* A descriptor of this process for process_madvise: opened once, never closed. -1: not opened yet, -2: none. */
static int own_process(void) {
    static _Atomic int descriptor = -1;
    int known = atomic_load_explicit(&descriptor, memory_order_acquire);
    if (known != -1) return known;
    int opened = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (opened < 0) opened = -2;
    if (!atomic_compare_exchange_strong(&descriptor, &known, opened)) {
        if (opened >= 0) close(opened);
        return known;
    }
    return opened;
}

static void will_need(struct iovec *pieces, size_t count) {
    static _Atomic bool refused;
    size_t done = 0;
    int process = own_process();
    if (count > 1 && process >= 0 && !atomic_load_explicit(&refused, memory_order_relaxed)) {
        ssize_t bytes = syscall(SYS_process_madvise, process, pieces, count, MADV_WILLNEED, 0);
        if (bytes < 0) atomic_store_explicit(&refused, true, memory_order_relaxed);
        while (bytes > 0 && done < count) bytes -= (ssize_t)pieces[done++].iov_len;
    }
    for (; done < count; done++) (void)madvise(pieces[done].iov_base, pieces[done].iov_len, MADV_WILLNEED);
}

static void sort(struct piece *pieces, size_t count) {
    static const size_t gaps[] = {57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < count; i++) {
            struct piece moved = pieces[i];
            size_t j = i;
            for (; j >= gap && pieces[j - gap].from > moved.from; j -= gap) pieces[j] = pieces[j - gap];
            pieces[j] = moved;
        }
    }
}

/* Pages of a piece that are not in memory. */
static size_t missing(const struct piece *piece, size_t page) {
    unsigned char states[64];
    size_t lacking = 0;
    uintptr_t at = piece->from;
    while (at < piece->to) {
        size_t pages = (piece->to - at) / page;
        if (pages > sizeof states) pages = sizeof states;
        if (mincore((void *)at, pages * page, states) != 0) return lacking;
        for (size_t i = 0; i < pages; i++) lacking += !(states[i] & 1);
        at += pages * page;
    }
    return lacking;
}

/* Pages the thread had to wait for, since it began. */
static long major_faults(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_majflt : -1;
}

static void count_reads(uint64_t pages) {
    thread_reads += pages;
    atomic_fetch_add_explicit(&process_reads, pages, memory_order_relaxed);
}

/* Where everything is in memory, looking for pages that are not would cost several times the reading (361 of 580 us of a
   walk over a graph with 128 links a node). After a few batches of a table without any, one piece of each is looked at,
   and the system is asked whether the thread has had to wait for a page since: if so, or if that piece is missing, all
   pieces of the table are looked at again. */
enum { warm_after = 4, tables = 16 };

/* Batches in a row of a table that found everything in memory. */
struct table {
    uintptr_t base;
    unsigned warm;
};
static _Thread_local struct table known_tables[tables];
/* The one asked for last; NULL: a single row, which is always looked at. */
static _Thread_local struct table *last_table;
/* The thread's major faults before that; below 0: not asked for yet. */
static _Thread_local long known_faults = -1;

static struct table *table_at(uintptr_t base) {
    struct table *table = &known_tables[(base >> 12 ^ base >> 20) % tables];
    if (table->base != base) *table = (struct table){.base = base};
    return table;
}

/* Whether a batch can do without. */
static bool is_warm(struct table *table, const struct piece *pieces, size_t count, size_t page) {
    struct table *before = last_table;
    last_table = table;
    if (table == NULL || table->warm < warm_after) return false;
    long faults = major_faults();
    if (faults != known_faults) {
        if (before != NULL && before->warm >= warm_after) {
            if (known_faults >= 0 && faults > known_faults) count_reads((uint64_t)(faults - known_faults));
            before->warm = 0;
        }
        known_faults = faults;
        if (before == table) return false;
    }
    return missing(&pieces[table->warm++ % count], page) == 0;
}

static void ask_pages(struct table *table, struct piece *pieces, size_t count, size_t page) {
    if (is_warm(table, pieces, count, page)) return;
    sort(pieces, count);
    struct iovec wanted[pieces_max];
    size_t number = 0;
    uint64_t lacking = 0;
    for (size_t i = 0; i < count;) {
        struct piece run = pieces[i++];
        while (i < count && pieces[i].from <= run.to) {
            if (pieces[i].to > run.to) run.to = pieces[i].to;
            i++;
        }
        size_t pages = missing(&run, page);
        if (pages == 0) continue;
        lacking += pages;
        wanted[number++] = (struct iovec){.iov_base = (void *)run.from, .iov_len = run.to - run.from};
    }
    if (number == 0) {
        if (table != NULL) table->warm++;
        return;
    }
    if (table != NULL) table->warm = 0;
    count_reads(lacking);
    will_need(wanted, number);
}
#endif

void octant_ask_rows(const void *base, size_t stride, const uint32_t *ids, size_t count) {
#if defined(__linux__)
    static _Atomic size_t known;
    size_t page = atomic_load_explicit(&known, memory_order_relaxed);
    if (page == 0) {
        long size = sysconf(_SC_PAGESIZE);
        page = size > 0 ? (size_t)size : 4096;
        atomic_store_explicit(&known, page, memory_order_relaxed);
    }
    struct piece pieces[pieces_max];
    struct table *table = count > 1 ? table_at((uintptr_t)base) : NULL;
    size_t number = 0;
    for (size_t i = 0; i < count; i++) {
        uintptr_t from = (uintptr_t)base + (uintptr_t)ids[i] * stride;
        pieces[number++] = (struct piece){from & ~(page - 1), (from + stride + page - 1) & ~(page - 1)};
        if (number == pieces_max || i + 1 == count) {
            ask_pages(table, pieces, number, page);
            number = 0;
        }
    }
#else
    for (size_t i = 0; i < count; i++) (void)madvise((char *)base + (size_t)ids[i] * stride, stride, MADV_WILLNEED);
#endif
}
