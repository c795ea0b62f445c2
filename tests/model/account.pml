/* One account for two months: who may do what at the same time, and what comes of it (I1, I3, I5-I8, I19).
 *
 * Two of the team activate, two customers buy, two imports bring a call of the first month, and bill runs bill each month,
 * the first one twice at once, while the days go by: days 1 and 2 are the first month, 3 and 4 the second, and 5 comes
 * after. SPIN tries every order in which their steps can happen. The steps and their locks are those of docs/locks.md:
 * each line that is not in an `atomic` is a step of its own, between which the others go on.
 *
 * Each of these makes a variant that must fail, which shows that the model would notice:
 *   NO_LOCK      nobody locks the account, but imports do
 *   NO_SHARE     an import doesn't lock the account against a bill run
 *   NO_GUARD     neither the action nor the database looks whether the account is active already
 *   EARLY_CLOCK  the clock is read before the lock is granted, not after
 */
#ifdef NO_LOCK
#define LOCKS false
#else
#define LOCKS true
#endif
#ifdef NO_SHARE
#define SHARES false
#else
#define SHARES true
#endif
#ifdef NO_GUARD
#define GUARDS false
#else
#define GUARDS true
#endif
#ifdef EARLY_CLOCK
#define EARLY true
#else
#define EARLY false
#endif
#define LIMIT 2

byte now = 1;
bool is_active = false;
byte active_on = 0, activations = 0;
byte seats = 1, bought = 0, refused = 0;
byte calls = 0, invoiced_calls = 0;  /* of the first month */
bool is_late = false;                /* a call of the first month came after it was billed */
bool billed_first = false, billed_second = false;
byte invoiced_days = 0;              /* days of the product, of both months */

bool is_locked = false;              /* the account's row: FOR NO KEY UPDATE, or */
byte sharing = 0;                    /* FOR SHARE, by this many imports */

inline lock() { if :: LOCKS -> atomic { !is_locked && sharing == 0 -> is_locked = true } :: else fi }
inline unlock() { if :: LOCKS -> is_locked = false :: else fi }
inline share() { if :: SHARES -> atomic { !is_locked -> sharing++ } :: else fi }
inline unshare() { if :: SHARES -> sharing-- :: else fi }

proctype days() { do :: now < 5 -> now++ :: else -> break od }

proctype team() {
    byte today;
    today = now;
    lock();
    if :: EARLY :: else -> today = now fi;
    if
    :: (!is_active || !GUARDS) && today < 5 ->
        is_active = true;
        active_on = today;
        activations++
    :: else
    fi;
    unlock()
}

proctype customer() {
    byte has;
    lock();
    has = seats;
    if
    :: is_active || has < LIMIT -> seats = has + 1; bought++
    :: else -> refused++
    fi;
    assert(is_active || seats <= LIMIT);
    unlock()
}

proctype import() {
    bool was_billed;
    share();
    was_billed = billed_first;
    calls++;
    if :: was_billed -> is_late = true :: else fi;
    unshare()
}

/* Days of the product in a month that begins on `first`, from the day of activation on. */
#define DAYS(first) (active_on == 0 || active_on > first + 1 -> 0 : (active_on > first -> 1 : 2))

proctype first_month() {
    byte found, owed;
    now >= 3;
    lock();
    if
    :: !billed_first ->
        found = calls;
        owed = DAYS(1);
        invoiced_calls = invoiced_calls + found;
        invoiced_days = invoiced_days + owed;
        billed_first = true
    :: else
    fi;
    unlock()
}

proctype second_month() {
    byte found, owed;
    now == 5 && billed_first;
    lock();
    if
    :: !billed_second ->
        if :: is_late -> found = calls - invoiced_calls; is_late = false :: else -> found = 0 fi;
        owed = DAYS(3);
        invoiced_calls = invoiced_calls + found;
        invoiced_days = invoiced_days + owed;
        billed_second = true
    :: else
    fi;
    unlock()
}

init {
    atomic {
        run days();
        run team(); run team();
        run customer(); run customer();
        run import(); run import();
        run first_month(); run first_month();
        run second_month()
    }
    _nr_pr == 1;
    assert(activations <= 1);
    assert(seats == 1 + bought && bought + refused == 2);
    assert(billed_first && billed_second);
    assert(is_late || invoiced_calls == calls);
    assert(invoiced_calls <= calls);
    assert(is_active == (active_on != 0));
    assert(invoiced_days == (is_active -> 5 - active_on : 0))
}
