/* The load generator: tabs that check every frame, and the publisher that feeds them, in one process
 * with one clock.
 *
 * Opens a WebSocket for each line of TABS, publishes what PLAN says, and judges each frame: it must be
 * of the tab's session and at the next position. A frame that is several neighbouring pieces of one
 * text merged (docs/protocol.md) is one delivery and moves the tab by as many; its text must be as long
 * as theirs together. One thread, plain sockets: a frame costs about a tenth of a microsecond here.
 *
 * Usage: generator GATEWAY_PORT PUBLISH_PORT TABS PLAN PACE BASE PIECE UNTIL [HELLO]
 *   TABS    lines: session index, session id, request target
 *   PLAN    records (see struct record): what is sent to PUBLISH_PORT, when, and how many events it is.
 *           Those of `at` 0 and no events are sent again and again until every tab has got something.
 *   PACE    "paced": at the times of the plan. "window:N": as fast as they come, with at most N
 *           deliveries under way. "flood": without a bound. "backlog:N:PID": N events at a time are
 *           published while the gateway, whose process leads the group PID, is stopped; then it goes
 *           on, and finds all its work at hand
 *   BASE    the position before the first event of the plan, in every session
 *   PIECE   bytes of text in each piece
 *   UNTIL   what a tab waits for before it counts as open: "upgraded", "greeted" (any text), or
 *           "reached" (an event at BASE or later)
 *   HELLO   a text frame that each tab sends once upgraded
 *
 * Speaks in lines of JSON: one when all tabs are open; then it waits for a line; one when the plan is
 * over (every event has come, or nothing has for QUIET_NS); then it waits for its input to end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { OPENING_AT_ONCE = 256, WRITE_AT_ONCE = 1 << 16, FRONT = 64, EVENTS_AT_ONCE = 512 };
static const size_t BUFFER_BYTES = 8u << 20;
static const uint64_t QUIET_NS = 5000000000ull, OPEN_QUIET_NS = 20000000000ull, WARM_NS = 500000000ull;

struct record {
    uint64_t at_ns;
    uint32_t session, events, bytes, unused;
};

struct session {
    char name[64];
    size_t name_length;
    uint64_t *sent_at; /* of each event of the plan */
    uint32_t planned, sent, tabs;
};

struct tab {
    int fd;
    struct session *session;
    char *target;
    enum { CLOSED, CONNECTING, UPGRADING, OPEN, READY } state;
    uint64_t seq;         /* of the last event it was given */
    uint64_t opened_at;   /* when its connect began, then how long it took until it was ready */
    char *rest;           /* the beginning of a frame whose end has not come */
    size_t rest_length;
};

static struct {
    uint64_t frames, covered, merged, lost, reordered, foreign, bad, closed, publish_errors, bytes;
} count;

static struct session *sessions;
static struct tab *tabs;
static size_t session_count, tab_count, ready_count, opening_count, next_to_open;
static const char *until, *hello;
static int gateway_port, epoll, publisher;
static uint64_t base, piece_bytes;
static char *buffer;
static uint64_t *latencies;
static size_t latency_count, latency_room;
static uint64_t progress_at;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "generator: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- sockets ---- */

static int connect_to(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    if (fd < 0) fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        fail("connect");
    return fd;
}

static void watch(int fd, uint32_t events, uint64_t who, int operation) {
    struct epoll_event event = {.events = events, .data.u64 = who};
    if (epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl");
}

static void close_tab(struct tab *tab) {
    if (tab->state < OPEN) opening_count--;
    count.closed++;
    tab->state = CLOSED;
    close(tab->fd);
}

static void send_whole(struct tab *tab, const char *data, size_t length) {
    if (send(tab->fd, data, length, MSG_NOSIGNAL) != (ssize_t)length) close_tab(tab);
}

/* A masked frame of at most 125 bytes; its mask is zero. */
static void send_frame(struct tab *tab, int opcode, const char *payload, size_t length) {
    char frame[131] = {(char)(0x80 | opcode), (char)(0x80 | length)};
    memcpy(frame + 6, payload, length);
    send_whole(tab, frame, 6 + length);
}

static void open_more(void) {
    while (opening_count < OPENING_AT_ONCE && next_to_open < tab_count) {
        struct tab *tab = &tabs[next_to_open];
        tab->opened_at = now();
        tab->fd = connect_to(gateway_port);
        tab->state = CONNECTING;
        watch(tab->fd, EPOLLOUT, next_to_open++, EPOLL_CTL_ADD);
        opening_count++;
    }
}

static void set_ready(struct tab *tab, uint64_t at) {
    tab->state = READY;
    tab->opened_at = at - tab->opened_at;
    ready_count++;
    progress_at = at;
}

/* ---- frames ---- */

static size_t content_bytes(const char *text, size_t length) {
    const char *begin = memmem(text, length, "\"content\":\"", 11);
    if (!begin) return 0;
    begin += 11;
    const char *end = memchr(begin, '"', length - (size_t)(begin - text));
    return end ? (size_t)(end - begin) : 0;
}

static void judge_event(struct tab *tab, const char *event, size_t length, uint64_t at) {
    struct session *session = tab->session;
    char *end;
    strtoull(event + 7, &end, 10);
    uint64_t seq = strtoull(end + 1, &end, 10);
    char *name = memmem(end, length - (size_t)(end - event), "\"session_id\":\"", 14);
    if (!name || strncmp(name + 14, session->name, session->name_length) != 0 ||
        name[14 + session->name_length] != '"') {
        count.foreign++;
        return;
    }
    if (tab->state == OPEN && seq >= base) set_ready(tab, at);
    if (seq <= base) { /* of before the plan: a replay, or the warming up */
        if (seq > tab->seq) tab->seq = seq;
        return;
    }
    if (tab->seq < base) tab->seq = base;
    if (seq <= tab->seq || seq > base + session->planned) {
        count.reordered++;
        return;
    }
    uint64_t step = seq - tab->seq;
    if (step > 1) {
        if (content_bytes(event, length) == step * piece_bytes) {
            count.merged++;
        } else {
            count.lost += step - 1;
        }
    }
    tab->seq = seq;
    count.frames++;
    count.covered += step;
    uint64_t sent_at = session->sent_at[seq - base - 1];
    if (sent_at && latency_count < latency_room) latencies[latency_count++] = at - sent_at;
    progress_at = at;
}

static void take_frame(struct tab *tab, int first, const char *payload, size_t length, uint64_t at) {
    if (first == 0x89) { /* ping */
        send_frame(tab, 0xA, payload, length);
    } else if (first == 0x88) {
        close_tab(tab);
    } else if (first == 0x81) {
        const char *event = memmem(payload, length < FRONT ? length : FRONT, "{\"id\":\"", 7);
        if (tab->state == OPEN && strcmp(until, "greeted") == 0) set_ready(tab, at);
        if (event) judge_event(tab, event, length - (size_t)(event - payload), at);
    } else {
        count.bad++;
    }
}

/* How much of a frame's beginning is its header; 0 when that has not all come. */
static size_t header_of(const unsigned char *data, size_t length, uint64_t *payload_length) {
    if (length < 2) return 0;
    size_t short_length = data[1] & 0x7f, header = short_length == 127 ? 10 : short_length == 126 ? 4 : 2;
    if (length < header) return 0;
    *payload_length = header == 2 ? short_length : 0;
    for (size_t i = 2; i < header; i++) *payload_length = *payload_length << 8 | data[i];
    return header;
}

/* Returns how many bytes of whole frames were taken. */
static size_t take_frames(struct tab *tab, const char *data, size_t length, uint64_t at) {
    size_t taken = 0;
    while (tab->state == OPEN || tab->state == READY) {
        uint64_t payload;
        size_t header = header_of((const unsigned char *)data + taken, length - taken, &payload);
        if (!header || length - taken < header + payload) break;
        take_frame(tab, (unsigned char)data[taken], data + taken + header, payload, at);
        taken += header + payload;
    }
    return taken;
}

static size_t take_upgrade(struct tab *tab, const char *data, size_t length, uint64_t at) {
    char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (length < 12 || memcmp(data + 9, "101", 3) != 0) {
        fprintf(stderr, "generator: %.*s\n", (int)(length < 200 ? length : 200), data);
        close_tab(tab);
        return length;
    }
    tab->state = OPEN;
    opening_count--;
    if (hello) send_frame(tab, 0x1, hello, strlen(hello));
    if (strcmp(until, "upgraded") == 0) set_ready(tab, at);
    return (size_t)(end + 4 - data);
}

static void read_tab(struct tab *tab) {
    size_t length = tab->rest_length;
    memcpy(buffer, tab->rest, length);
    ssize_t got = recv(tab->fd, buffer + length, BUFFER_BYTES - length, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) close_tab(tab);
        return;
    }
    uint64_t at = now();
    count.bytes += (uint64_t)got;
    length += (size_t)got;
    size_t taken = tab->state == UPGRADING ? take_upgrade(tab, buffer, length, at) : 0;
    taken += take_frames(tab, buffer + taken, length - taken, at);
    if (tab->state == CLOSED) return;
    tab->rest_length = length - taken;
    if (tab->rest_length) {
        tab->rest = realloc(tab->rest, tab->rest_length);
        memcpy(tab->rest, buffer + taken, tab->rest_length);
    } else if (tab->rest) {
        free(tab->rest);
        tab->rest = NULL;
    }
}

static void upgrade(struct tab *tab) {
    char request[512];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\n\r\n",
                          tab->target, gateway_port);
    tab->state = UPGRADING;
    watch(tab->fd, EPOLLIN, (uint64_t)(tab - tabs), EPOLL_CTL_MOD);
    send_whole(tab, request, (size_t)length);
}

static void on_tab(struct tab *tab) {
    if (tab->state == CONNECTING) {
        upgrade(tab);
    } else if (tab->state != CLOSED) {
        read_tab(tab);
    }
}

/* ---- the publisher ---- */

static const char *plan, *plan_end, *next_record, *warm_end;
static const char *half_sent;
static size_t half_sent_bytes;
static uint64_t began_at, due, planned_deliveries; /* due: of what has been published */
static char last_reply_byte = '\n';
static int ponged;

static struct {
    enum { PACED, WINDOW, BACKLOG } kind;
    uint64_t window; /* deliveries under way at most */
    pid_t gateway;   /* the process group that is stopped meanwhile */
    uint64_t running_ns;
} pace = {.window = UINT64_MAX};

/* Counts what Redis (`-ERR …`) or an HTTP server (a status that is not 2xx) refuses. */
static void read_replies(void) {
    ssize_t got;
    while ((got = recv(publisher, buffer, BUFFER_BYTES - 1, 0)) > 0) {
        buffer[got] = 0;
        for (char *at = buffer; at < buffer + got; at++) {
            int refused = *at == '-' && last_reply_byte == '\n';
            /* A body may end without an end of line. */
            if (strncmp(at, "HTTP/1.1 ", 9) == 0) refused = at[9] != '2';
            if (refused && count.publish_errors++ == 0)
                fprintf(stderr, "generator: refused: %.80s\n", at);
            if (strncmp(at, "+PONG", 5) == 0) ponged = 1;
            last_reply_byte = *at;
        }
    }
    if (got == 0) fail("the publisher's connection was closed");
}

static int send_on(void) {
    while (half_sent_bytes) {
        ssize_t sent = send(publisher, half_sent, half_sent_bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return 0;
        if (sent < 0) fail("publish");
        half_sent += sent;
        half_sent_bytes -= (size_t)sent;
    }
    return 1;
}

static void warm_up(void) {
    for (const char *at = plan; at < warm_end;) {
        struct record record;
        memcpy(&record, at, sizeof record);
        half_sent = at + sizeof record;
        half_sent_bytes = record.bytes;
        while (!send_on()) read_replies();
        at += sizeof record + record.bytes;
    }
}

/* Sends what is due, or what the window has room for. */
static void publish(uint64_t at) {
    static char out[2 << 20];
    while (next_record < plan_end && send_on()) {
        size_t filled = 0, events = 0;
        while (next_record < plan_end && filled < WRITE_AT_ONCE && events < EVENTS_AT_ONCE) {
            struct record record;
            memcpy(&record, next_record, sizeof record);
            struct session *session = &sessions[record.session];
            if (pace.kind == PACED && began_at + record.at_ns > at) break;
            if (due - count.covered + record.events * session->tabs > pace.window) break;
            if (filled + record.bytes > sizeof out) break;
            memcpy(out + filled, next_record + sizeof record, record.bytes);
            filled += record.bytes;
            uint64_t sent_at = pace.kind == PACED ? began_at + record.at_ns : at;
            for (uint32_t i = 0; i < record.events; i++) session->sent_at[session->sent++] = sent_at;
            due += record.events * session->tabs;
            events += record.events;
            next_record += sizeof record + record.bytes;
        }
        if (!filled) break;
        half_sent = out;
        half_sent_bytes = filled;
    }
    send_on();
}

static int set_timer(int timer) {
    struct record record;
    struct itimerspec when = {0};
    memcpy(&record, next_record, sizeof record);
    uint64_t at = began_at + record.at_ns;
    when.it_value = (struct timespec){.tv_sec = (time_t)(at / 1000000000ull), .tv_nsec = (long)(at % 1000000000ull)};
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* ---- the course of a run ---- */

enum { PUBLISHER = -1, TIMER = -2 };

/* Whether it asks for events again and again instead of sleeping until they come. To wake a sleeper
 * costs the gateway that writes to it, which clients on other machines do not. Whatever else runs on
 * this core goes first. */
static int spins;

static void spin(void) {
    struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_IDLE, &none) < 0) fail("SCHED_IDLE");
    spins = 1;
}

static void handle_events(int timeout_ms) {
    struct epoll_event events[512];
    int got = epoll_wait(epoll, events, 512, spins ? 0 : timeout_ms);
    for (int i = 0; i < got; i++) {
        int64_t who = (int64_t)events[i].data.u64;
        if (who >= 0) on_tab(&tabs[who]);
        else if (who == PUBLISHER) read_replies();
    }
}

static void open_all(void) {
    uint64_t warmed_at = 0;
    progress_at = now();
    while (ready_count + count.closed < tab_count) {
        open_more();
        if (plan < warm_end && next_to_open == tab_count && now() - warmed_at > WARM_NS) {
            warm_up();
            warmed_at = now();
        }
        handle_events(50);
        if (now() - progress_at > OPEN_QUIET_NS) return;
    }
}

static void await_deliveries(void) {
    progress_at = now();
    while (count.covered < due && now() - progress_at < QUIET_NS) handle_events(100);
}

/* Publishes what the window holds while the gateway is stopped, and lets it work that off. */
static void run_backlog(void) {
    while (next_record < plan_end && count.covered == due) {
        kill(-pace.gateway, SIGSTOP);
        for (const char *before = ""; before != next_record || half_sent_bytes; handle_events(0)) {
            before = next_record;
            publish(now());
        }
        ponged = 0;
        half_sent = "PING\r\n";
        half_sent_bytes = 6;
        while (!send_on() || !ponged) handle_events(1);
        uint64_t began = now();
        kill(-pace.gateway, SIGCONT);
        await_deliveries();
        pace.running_ns += progress_at - began;
    }
}

static void run_plan(void) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (timer < 0) fail("timerfd");
    watch(timer, EPOLLIN, (uint64_t)TIMER, EPOLL_CTL_ADD);
    while ((next_record < plan_end || half_sent_bytes) && now() - progress_at < QUIET_NS) {
        publish(now());
        if (pace.kind == PACED && next_record < plan_end && !half_sent_bytes) set_timer(timer);
        handle_events(half_sent_bytes ? 1 : 100);
        uint64_t fired;
        if (read(timer, &fired, sizeof fired) < 0 && errno != EAGAIN) fail("timer");
    }
    await_deliveries();
}

static void run(void) {
    if (pace.kind != WINDOW) spin();
    progress_at = began_at = now();
    if (pace.kind == BACKLOG) {
        run_backlog();
    } else {
        run_plan();
        pace.running_ns = progress_at - began_at;
    }
}

/* ---- what is told ---- */

static int ascending(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static double share_us(uint64_t *values, size_t length, double share) {
    if (!length) return 0;
    size_t place = (size_t)((double)length * share);
    return (double)values[place < length ? place : length - 1] / 1000;
}

static void tell_open(uint64_t took) {
    uint64_t *times = calloc(tab_count, sizeof *times);
    size_t open = 0;
    for (size_t i = 0; i < tab_count; i++)
        if (tabs[i].state == READY) times[open++] = tabs[i].opened_at;
    qsort(times, open, sizeof *times, ascending);
    printf("{\"open\":%zu,\"closed\":%lu,\"seconds\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n", open,
           count.closed, (double)took / 1e9, share_us(times, open, .5), share_us(times, open, .99),
           share_us(times, open, 1));
    fflush(stdout);
    free(times);
}

static void tell_results(void) {
    uint64_t missing = 0;
    for (size_t i = 0; i < tab_count; i++) {
        uint64_t seq = tabs[i].seq < base ? base : tabs[i].seq;
        missing += base + tabs[i].session->planned - seq;
    }
    qsort(latencies, latency_count, sizeof *latencies, ascending);
    printf("{\"frames\":%lu,\"covered\":%lu,\"merged\":%lu,\"lost\":%lu,\"reordered\":%lu,\"foreign\":%lu,\"bad\":%lu,"
           "\"closed\":%lu,\"publish_errors\":%lu,\"bytes\":%lu,\"seconds\":%.4f,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n",
           count.frames, count.covered, count.merged, count.lost + missing, count.reordered, count.foreign, count.bad,
           count.closed, count.publish_errors, count.bytes, (double)pace.running_ns / 1e9,
           share_us(latencies, latency_count, .5), share_us(latencies, latency_count, .99),
           share_us(latencies, latency_count, .999), share_us(latencies, latency_count, 1));
    fflush(stdout);
}

/* ---- input ---- */

static void read_tabs(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    char name[64], target[256];
    size_t index;
    while (fscanf(file, "%zu %63s %255s", &index, name, target) == 3) {
        if (index >= session_count) {
            sessions = realloc(sessions, (index + 1) * sizeof *sessions);
            memset(sessions + session_count, 0, (index + 1 - session_count) * sizeof *sessions);
            session_count = index + 1;
        }
        strcpy(sessions[index].name, name);
        sessions[index].name_length = strlen(name);
        sessions[index].tabs++;
        tabs = realloc(tabs, (tab_count + 1) * sizeof *tabs);
        tabs[tab_count++] = (struct tab){.fd = -1, .session = (struct session *)index, .target = strdup(target)};
    }
    fclose(file);
    for (size_t i = 0; i < tab_count; i++) tabs[i].session = &sessions[(size_t)tabs[i].session];
}

static void read_plan(const char *path) {
    int fd = open(path, O_RDONLY);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0) fail(path);
    plan = warm_end = next_record = plan_end = "";
    if (about.st_size) {
        plan = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (plan == MAP_FAILED) fail("mmap");
        warm_end = plan;
        plan_end = plan + about.st_size;
    }
    for (const char *at = plan; at < plan_end;) {
        struct record record;
        memcpy(&record, at, sizeof record);
        at += sizeof record + record.bytes;
        if (!record.events) warm_end = at;
        sessions[record.session].planned += record.events;
        planned_deliveries += record.events * sessions[record.session].tabs;
    }
    next_record = warm_end;
    for (size_t i = 0; i < session_count; i++)
        sessions[i].sent_at = calloc(sessions[i].planned + 1, sizeof(uint64_t));
    latency_room = planned_deliveries;
    latencies = calloc(latency_room + 1, sizeof *latencies);
}

static void await_line(void) {
    while (1) {
        char byte;
        struct timeval wait = {0};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(0, &set);
        if (select(1, &set, NULL, NULL, &wait) > 0 && (read(0, &byte, 1) != 1 || byte == '\n')) return;
        handle_events(20); /* pings are answered meanwhile */
    }
}

static void read_pace(const char *text) {
    int gateway = 0;
    if (sscanf(text, "window:%lu", &pace.window) == 1) {
        pace.kind = WINDOW;
    } else if (sscanf(text, "backlog:%lu:%d", &pace.window, &gateway) == 2) {
        pace.kind = BACKLOG;
        pace.gateway = gateway;
    } else {
        pace.kind = strcmp(text, "flood") == 0 ? WINDOW : PACED;
    }
}

int main(int argc, char **argv) {
    if (argc < 9) {
        fprintf(stderr, "usage: generator GATEWAY_PORT PUBLISH_PORT TABS PLAN PACE BASE PIECE UNTIL [HELLO]\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    gateway_port = atoi(argv[1]);
    base = strtoull(argv[6], NULL, 10);
    piece_bytes = strtoull(argv[7], NULL, 10);
    until = argv[8];
    read_pace(argv[5]);
    hello = argc > 9 && *argv[9] ? argv[9] : NULL;
    buffer = malloc(BUFFER_BYTES);
    epoll = epoll_create1(0);
    read_tabs(argv[3]);
    read_plan(argv[4]);
    publisher = connect_to(atoi(argv[2]));
    watch(publisher, EPOLLIN, (uint64_t)PUBLISHER, EPOLL_CTL_ADD);

    uint64_t began = now();
    open_all();
    tell_open(progress_at - began);
    await_line();
    run();
    tell_results();
    await_line();
    return 0;
}
