/* npc_say: says a line through npc_engine, writes its sound to a WAV, prints its words and its face tick by tick.
 *
 *     cc -std=c99 -O2 -Wall -Wextra -o npc_say npc_say.c -lzmq -lm
 *     ./npc_say tcp://127.0.0.1:7890 elder "Mind the step!" line.wav
 *
 * Needs libzmq 4.2 or later and nothing else. What it knows of the engine stands in bindings/PROTOCOL.md. */

#define _DEFAULT_SOURCE /* of glibc: Ctrl-C interrupts the waiting, but no writing */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { RATE = 24000, TICK_BYTES = 960, TICK_MS = 20, CHANNELS = 50, DEPTH = 16, AHEAD_MS = 600, WAIT_MS = 30000 };

static FILE *wav;
static uint32_t wav_bytes;                  /* of sound */
static char channels[CHANNELS][4 * 64 + 1]; /* names of the coefficients, of 64 characters in UTF-8 at most */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int sign) { (void)sign, interrupted = 1; }

static void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("npc_say: ", stderr), vfprintf(stderr, format, values), fputc('\n', stderr);
    exit(1); /* by way of finish_wav */
}

/* ── msgpack, written: in its longest forms, which every reader takes ────────────────────────────────────────────── */

struct pair { const char *key, *text; uint32_t number; }; /* the number where there is no text */
static uint8_t written[262144];                           /* a header may be so long */
static size_t size;

static void put(uint8_t type, size_t n, const char *bytes) {
    uint8_t head[5] = {type, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    size_t follow = bytes ? n : 0;
    if (follow > sizeof written - 5 - size) fail("the text has %zu bytes, a message has room for fewer", n);
    memcpy(written + size, head, 5);
    if (bytes) memcpy(written + size + 5, bytes, follow);
    size += 5 + follow;
}

static void tell(void *engine, const struct pair *pairs, size_t count) {
    size = 0, put(0xdf, count, NULL);
    for (const struct pair *p = pairs; p < pairs + count; p++) {
        put(0xdb, strlen(p->key), p->key);
        put(p->text ? 0xdb : 0xce, p->text ? strlen(p->text) : p->number, p->text);
    }
    if (zmq_send(engine, written, size, 0) < 0) fail("can't send: %s", zmq_strerror(zmq_errno()));
}

/* ── msgpack, read: in every form, held against the end and the depth before it is followed ──────────────────────── */

enum type { NOTHING, OTHER, WHOLE, STRING, LIST, MAP }; /* OTHER: null, a truth, a float, bytes */
struct span { const uint8_t *at, *end; };
struct value { enum type type; long long number; uint64_t count; struct span inside; }; /* count: bytes, entries, pairs */

static uint64_t take(struct span *s, int bytes) {
    uint64_t n = 0;
    if (s->end - s->at < bytes) fail("the engine sent a header that ends too early");
    while (bytes--) n = n << 8 | *s->at++;
    return n;
}

static struct value read_value(struct span *s, int depth) {
    struct value v = {OTHER, 0, 0, {NULL, NULL}};
    int b = (int)take(s, 1), bytes = 1 << (b & 3); /* of the number that follows types CC to D3 */
    if (b < 0x80 || b >= 0xe0) v.type = WHOLE, v.number = b < 0x80 ? b : b - 256;
    else if (b < 0xa0) v.type = b < 0x90 ? MAP : LIST, v.count = (uint64_t)b & 15;
    else if (b < 0xc0) v.type = STRING, v.count = (uint64_t)b & 31;
    else if (b >= 0xcc && b <= 0xd3) {
        uint64_t n = take(s, bytes), sign = b < 0xd0 ? 0 : 1ULL << (8 * bytes - 1);
        v.type = WHOLE, v.number = n > INT64_MAX && !sign ? INT64_MAX : (long long)((n ^ sign) - sign);
    } else if (b >= 0xdc) v.type = b < 0xde ? LIST : MAP, v.count = take(s, b & 1 ? 4 : 2);
    else if (b >= 0xd9) v.type = STRING, v.count = take(s, 1 << (b - 0xd9));
    else if (b >= 0xc4 && b <= 0xc6) v.count = take(s, 1 << (b - 0xc4));
    else if (b == 0xca || b == 0xcb) v.count = b == 0xca ? 4 : 8;
    else if (b != 0xc0 && b != 0xc2 && b != 0xc3) fail("the engine sent a header with a type that the protocol has not");
    v.inside.at = s->at;
    if (v.type >= LIST && depth == 0) fail("the engine sent a header that is nested too deep");
    if (v.type < LIST && v.count > (uint64_t)(s->end - s->at)) fail("the engine sent a header that ends too early");
    if (v.type < LIST) s->at += v.count;
    else for (uint64_t n = v.type == MAP ? 2 * v.count : v.count; n > 0; n--)
        if (read_value(s, depth - 1).type != STRING && v.type == MAP && n % 2 == 0)
            fail("the engine sent a map with a key that is no string");
    v.inside.end = s->at;
    return v;
}

static bool is(struct value v, const char *text) {
    return v.type == STRING && v.count == strlen(text) && !memcmp(v.inside.at, text, v.count);
}

/* The value of a key; NOTHING, whose number and count are 0, where a map has it not. */
static struct value get(struct value map, const char *key, enum type type) {
    if (map.type != MAP) fail("the engine sent something else than a map where '%s' should be", key);
    for (uint64_t i = 0; i < map.count; i++) {
        struct value name = read_value(&map.inside, DEPTH), v = read_value(&map.inside, DEPTH);
        if (is(name, key) && v.type != type) fail("the engine sent a key '%s' of another type", key);
        if (is(name, key)) return v;
    }
    return (struct value){NOTHING, 0, 0, {(const uint8_t *)"", NULL}};
}

static long long number(struct value map, const char *key, long long least, long long most) {
    struct value v = get(map, key, WHOLE);
    if (v.type == NOTHING) fail("the engine sent a message without a %s", key);
    if (v.number < least || v.number > most)
        fail("the engine sent a %s of %lld, expected %lld to %lld", key, v.number, least, most);
    return v.number;
}

/* ── the line ────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Runs at exit, whatever happened: the header says how much sound there is. */
static void finish_wav(void) {
    uint32_t fields[11] = {0, 36 + wav_bytes, 0, 0, 16, 1 | 1 << 16, RATE, 2 * RATE, 2 | 16 << 16, 0, wav_bytes};
    uint8_t head[44];
    for (int i = 0; i < 44; i++) head[i] = (uint8_t)(fields[i / 4] >> 8 * (i % 4)); /* little-endian */
    memcpy(head, "RIFF", 4), memcpy(head + 8, "WAVEfmt ", 8), memcpy(head + 36, "data", 4);
    if (fseek(wav, 0, SEEK_SET) || fwrite(head, 1, 44, wav) != 44 || fclose(wav)) perror("npc_say: the WAV");
}

static double half(const uint8_t *at) {
    int bits = at[0] | at[1] << 8, exponent = bits >> 10 & 31, digits = bits & 1023;
    double v = exponent ? ldexp(1024 + digits, exponent - 25) : ldexp(digits, -24);
    if (exponent == 31) fail("the engine sent a coefficient that is not finite");
    return bits & 0x8000 ? -v : v;
}

/* Writes and prints a moment that begins with tick `next`; how many ticks it has. */
static long long show_moment(struct value header, zmq_msg_t *frames, int count, long long next) {
    long long ticks = number(header, "ticks", 1, 4096);
    number(header, "tick", next, next);
    size_t sound = (size_t)number(header, "sound", ticks * TICK_BYTES, ticks * TICK_BYTES);
    size_t face = (size_t)number(header, "coefficients", ticks * 2 * CHANNELS, ticks * 2 * CHANNELS);
    if (count != 3 || zmq_msg_size(&frames[1]) != sound || zmq_msg_size(&frames[2]) != face)
        fail("the engine sent other payloads than the %zu and %zu bytes that it promised", sound, face);
    size_t kept = fwrite(zmq_msg_data(&frames[1]), 1, sound, wav);
    wav_bytes += (uint32_t)kept;
    if (kept < sound) fail("the WAV could not be written");
    const uint8_t *at = zmq_msg_data(&frames[2]);
    for (long long t = next; t < next + ticks; t++) {
        printf("tick %lld", t);
        for (int c = 0; c < CHANNELS; c++, at += 2)
            if (half(at) != 0) printf(" %s=%.4f", channels[c], half(at));
        putchar('\n');
    }
    return ticks;
}

static void keep_channels(struct value header) {
    struct value list = get(header, "channels", LIST);
    if (list.count != CHANNELS) fail("the engine has %llu channels, expected 50", (unsigned long long)list.count);
    for (int c = 0; c < CHANNELS; c++) {
        struct value name = read_value(&list.inside, DEPTH);
        if (name.type != STRING) fail("the engine sent a channel whose name is no string");
        snprintf(channels[c], sizeof channels[c], "%.*s", (int)name.count, (const char *)name.inside.at);
    }
}

static void show_words(struct value header) {
    struct value list = get(header, "words", LIST);
    for (uint64_t i = 0; i < list.count; i++) {
        struct value word = read_value(&list.inside, DEPTH), text = get(word, "text", STRING);
        long long start = number(word, "start", 0, 1LL << 53), end = number(word, "end", 0, 1LL << 53);
        printf("word %lld %lld %.*s\n", start, end, (int)text.count, (const char *)text.inside.at);
    }
}

/* The frames of the next message; 0 when Ctrl-C came first. */
static int receive(void *engine, zmq_msg_t *frames) {
    int count = 0;
    do {
        if (count == 4) fail("the engine sent a message of more than 4 frames");
        zmq_msg_init(&frames[count]);
        if (zmq_msg_recv(&frames[count], engine, 0) < 0) {
            if (zmq_errno() != EINTR) fail("no answer within %d s: does an engine serve this address?", WAIT_MS / 1000);
            return 0;
        }
    } while (zmq_msg_more(&frames[count++]));
    return count;
}

/* Does what a message says, and grants what it held; whether more of the line is to come. */
static bool take_in(void *engine, zmq_msg_t *frames, int count, long long *next) {
    struct span bytes = {zmq_msg_data(frames), (const uint8_t *)zmq_msg_data(frames) + zmq_msg_size(frames)};
    struct value header = read_value(&bytes, DEPTH), kind = get(header, "kind", STRING);
    if (bytes.at != bytes.end) fail("the engine sent a header that goes on after its end");
    if (is(kind, "welcome")) keep_channels(header);
    if (is(kind, "words")) show_words(header);
    if (is(kind, "moment")) {
        long long ticks = show_moment(header, frames, count, *next);
        *next += ticks;
        struct pair credit[] = {{"kind", "credit", 0}, {"line", "l1", 0}, {"ms", NULL, (uint32_t)ticks * TICK_MS}};
        tell(engine, credit, 3);
    }
    if (is(kind, "error")) {
        struct value code = get(header, "code", STRING), text = get(header, "text", STRING);
        fail("%.*s: %.*s", (int)code.count, (char *)code.inside.at, (int)text.count, (char *)text.inside.at);
    }
    if (!is(kind, "end") && !is(kind, "cancelled")) return true;
    printf("%.*s %lld\n", (int)kind.count, (const char *)kind.inside.at, number(header, "ticks", *next, *next));
    return false;
}

int main(int argc, char **argv) {
    if (argc != 5) fail("expected ADDRESS NPC TEXT FILE, as in: tcp://127.0.0.1:7890 elder 'Mind the step!' line.wav");
    if (!(wav = fopen(argv[4], "wb"))) fail("can't write %s", argv[4]);
    fseek(wav, 44, SEEK_SET), atexit(finish_wav), signal(SIGINT, on_interrupt);
    void *context = zmq_ctx_new(), *engine = zmq_socket(context, ZMQ_DEALER);
    static const int names[] = {ZMQ_HEARTBEAT_IVL, ZMQ_HEARTBEAT_TIMEOUT, ZMQ_LINGER, ZMQ_RCVTIMEO};
    static const int values[] = {2000, 10000, 200, WAIT_MS};
    static const int64_t most = 33554432; /* bytes of a payload */
    for (int i = 0; i < 4; i++) zmq_setsockopt(engine, names[i], &values[i], sizeof(int));
    zmq_setsockopt(engine, ZMQ_MAXMSGSIZE, &most, sizeof most);
    if (zmq_connect(engine, argv[1])) fail("can't connect to %s: %s", argv[1], zmq_strerror(zmq_errno()));
    struct pair hello[] = {{"kind", "hello", 0}, {"version", NULL, 1}, {"client", "npc_say", 0}};
    struct pair speak[] = {{"kind", "speak", 0}, {"line", "l1", 0}, {"npc", argv[2], 0}, {"text", argv[3], 0},
                           {"credit_ms", NULL, AHEAD_MS}};
    struct pair cancel[] = {{"kind", "cancel", 0}, {"line", "l1", 0}};
    bool open = true, cancelling = false;
    tell(engine, hello, 3), tell(engine, speak, 5);
    for (long long next = 0; open;) {
        zmq_msg_t frames[4];
        int count = receive(engine, frames);
        if (interrupted && !cancelling) cancelling = true, tell(engine, cancel, 2);
        if (count) open = take_in(engine, frames, count, &next);
        while (count) zmq_msg_close(&frames[--count]);
    }
    return zmq_close(engine) || zmq_ctx_term(context);
}
