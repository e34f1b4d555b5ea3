/* What the thread sanitizer cannot see of Swift's runtime on Linux, told to it. Empty in every other build.

   The runtime is not instrumented, so the order that it makes between threads is unknown to the sanitizer, and all that
   hangs on this order would be reported:
   - A `Mutex` that nobody holds is taken and left by atomics in our own code, which are seen. When threads meet, the
     runtime's functions take over.
   - `swift_once` is behind every global that is made at its first use.
   - Reference counts: who sees that a value has no second owner may change it in place, after all that other owners did
     before they let it go.

   The functions here have the names of the runtime's. The linker finds them first; they call the runtime's own, and tell
   the sanitizer of exactly the order that these make. Nothing else is ordered: a race beside a mutex stays a race. What the
   standard library releases from inside of itself does not come by here. */

#if defined(__linux__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define PLAIN __attribute__((disable_sanitizer_instrumentation))
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

/* Calls the runtime's function of a name that is ours too. */
#define RUNTIME(type, name)                                                         \
    ({                                                                              \
        static void *known;                                                         \
        void *function = __atomic_load_n(&known, __ATOMIC_RELAXED);                 \
        if (function == NULL) {                                                     \
            function = dlsym(RTLD_NEXT, name);                                      \
            __atomic_store_n(&known, function, __ATOMIC_RELAXED);                   \
        }                                                                           \
        (type) function;                                                            \
    })

/* The mangled names of Synchronization._MutexHandle._lockSlow(_: UInt32), _unlockSlow() and _tryLockSlow(). */
#define LOCK_NAME "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_NAME "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define TRY_LOCK_NAME "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"

typedef SWIFT void (*lock_function)(uint32_t thread, SELF void *handle);
typedef SWIFT void (*unlock_function)(SELF void *handle);
typedef SWIFT _Bool (*try_lock_function)(SELF void *handle);
typedef void (*once_function)(void *predicate, void (*body)(void *), void *context);
typedef void (*release_function)(void *object);
typedef void (*release_n_function)(void *object, uint32_t count);
typedef _Bool (*unique_function)(const void *object);

SWIFT void octant_mutex_lock(uint32_t thread, SELF void *handle) __asm__(LOCK_NAME);
SWIFT void octant_mutex_unlock(SELF void *handle) __asm__(UNLOCK_NAME);
SWIFT _Bool octant_mutex_try_lock(SELF void *handle) __asm__(TRY_LOCK_NAME);
void swift_once(void *predicate, void (*body)(void *), void *context);
void swift_release(void *object);
void swift_release_n(void *object, uint32_t count);
void swift_bridgeObjectRelease(void *object);
void swift_bridgeObjectRelease_n(void *object, int count);
_Bool swift_isUniquelyReferenced_nonNull_native(const void *object);
_Bool swift_isUniquelyReferenced_native(const void *object);
size_t swift_retainCount(void *object);

PLAIN SWIFT void octant_mutex_lock(uint32_t thread, SELF void *handle) {
    RUNTIME(lock_function, LOCK_NAME)(thread, handle);
    __tsan_acquire(handle);
}

PLAIN SWIFT void octant_mutex_unlock(SELF void *handle) {
    __tsan_release(handle);
    RUNTIME(unlock_function, UNLOCK_NAME)(handle);
}

PLAIN SWIFT _Bool octant_mutex_try_lock(SELF void *handle) {
    _Bool taken = RUNTIME(try_lock_function, TRY_LOCK_NAME)(handle);
    if (taken) __tsan_acquire(handle);
    return taken;
}

struct once_call {
    void *predicate;
    void (*body)(void *);
    void *context;
};

PLAIN static void run_once(void *argument) {
    struct once_call *call = argument;
    call->body(call->context);
    __tsan_release(call->predicate);
}

PLAIN void swift_once(void *predicate, void (*body)(void *), void *context) {
    struct once_call call = {predicate, body, context};
    RUNTIME(once_function, "swift_once")(predicate, run_once, &call);
    __tsan_acquire(predicate);
}

/* An owner among several leaves before another finds itself alone. The only owner has nobody to tell: no more than the
   clock of an object that was shared is kept. */
PLAIN static void note_release(void *object, size_t count) {
    if ((intptr_t)object <= 0) return;
    if (swift_retainCount(object) > count) {
        __tsan_release(object);
    } else {
        __tsan_acquire(object);
    }
}

PLAIN void swift_release(void *object) {
    note_release(object, 1);
    RUNTIME(release_function, "swift_release")(object);
}

PLAIN void swift_release_n(void *object, uint32_t count) {
    note_release(object, count);
    RUNTIME(release_n_function, "swift_release_n")(object, count);
}

/* Dictionaries, sets and strings: a reference with flags in its highest byte, or no reference at all if it is negative. */
PLAIN static void note_bridge_release(void *object, size_t count) {
    if ((intptr_t)object > 0) note_release((void *)((uintptr_t)object & 0x00fffffffffffff8), count);
}

PLAIN void swift_bridgeObjectRelease(void *object) {
    note_bridge_release(object, 1);
    RUNTIME(release_function, "swift_bridgeObjectRelease")(object);
}

PLAIN void swift_bridgeObjectRelease_n(void *object, int count) {
    note_bridge_release(object, (size_t)count);
    RUNTIME(release_n_function, "swift_bridgeObjectRelease_n")(object, (uint32_t)count);
}

PLAIN _Bool swift_isUniquelyReferenced_nonNull_native(const void *object) {
    _Bool unique = RUNTIME(unique_function, "swift_isUniquelyReferenced_nonNull_native")(object);
    if (unique) __tsan_acquire((void *)object);
    return unique;
}

PLAIN _Bool swift_isUniquelyReferenced_native(const void *object) {
    return object != NULL && swift_isUniquelyReferenced_nonNull_native(object);
}

#endif
#endif
