/*
 * Two SHA-256 (FIPS 180-4) side by side with the processor's own instructions (Intel, "SHA Extensions"): each
 * round waits for the one before it, so one text alone leaves half of the unit idle. Without these
 * instructions one is hashed after the other by OpenSSL. test_sha256 compares both ways with OpenSSL.
 */
#include "item/sha256_two.h"

#include <endian.h>
#include <string.h>

#define BLOCK 64

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define SHA_CODE __attribute__((target("sha,sse4.1,ssse3"), always_inline)) static inline

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The eight words of a digest in the order that the instructions want: a b e f, c d g h. */
struct lane {
    __m128i abef, cdgh;
};

SHA_CODE struct lane lane_start(void)
{
    return (struct lane){
        _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
        _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19),
    };
}

/* Sixteen bytes of the text as four words. */
SHA_CODE __m128i words_of(const unsigned char *block, size_t at)
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + at)), swap);
}

/* Four rounds, from round `from` on. */
SHA_CODE void rounds(struct lane *lane, __m128i words, size_t from)
{
    __m128i sum = _mm_add_epi32(words, _mm_load_si128((const __m128i *)(constants + from)));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The four words of the schedule behind these sixteen. */
SHA_CODE __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(sum, w3);
}

SHA_CODE void lane_add(struct lane *lane, struct lane before)
{
    lane->abef = _mm_add_epi32(lane->abef, before.abef);
    lane->cdgh = _mm_add_epi32(lane->cdgh, before.cdgh);
}

SHA_CODE void compress_one(struct lane *lane, const unsigned char *block)
{
    struct lane before = *lane;
    __m128i w0 = words_of(block, 0), w1 = words_of(block, 16), w2 = words_of(block, 32),
            w3 = words_of(block, 48);
    for (size_t round = 0;; round += 16) {
        rounds(lane, w0, round);
        rounds(lane, w1, round + 4);
        rounds(lane, w2, round + 8);
        rounds(lane, w3, round + 12);
        if (round == 48)
            break;
        w0 = next_words(w0, w1, w2, w3);
        w1 = next_words(w1, w2, w3, w0);
        w2 = next_words(w2, w3, w0, w1);
        w3 = next_words(w3, w0, w1, w2);
    }
    lane_add(lane, before);
}

SHA_CODE void compress_two(struct lane *a, const unsigned char *block_a, struct lane *b,
                           const unsigned char *block_b)
{
    struct lane before_a = *a, before_b = *b;
    __m128i a0 = words_of(block_a, 0), a1 = words_of(block_a, 16), a2 = words_of(block_a, 32),
            a3 = words_of(block_a, 48);
    __m128i b0 = words_of(block_b, 0), b1 = words_of(block_b, 16), b2 = words_of(block_b, 32),
            b3 = words_of(block_b, 48);
    for (size_t round = 0;; round += 16) {
        rounds(a, a0, round);
        rounds(b, b0, round);
        rounds(a, a1, round + 4);
        rounds(b, b1, round + 4);
        rounds(a, a2, round + 8);
        rounds(b, b2, round + 8);
        rounds(a, a3, round + 12);
        rounds(b, b3, round + 12);
        if (round == 48)
            break;
        a0 = next_words(a0, a1, a2, a3);
        b0 = next_words(b0, b1, b2, b3);
        a1 = next_words(a1, a2, a3, a0);
        b1 = next_words(b1, b2, b3, b0);
        a2 = next_words(a2, a3, a0, a1);
        b2 = next_words(b2, b3, b0, b1);
        a3 = next_words(a3, a0, a1, a2);
        b3 = next_words(b3, b0, b1, b2);
    }
    lane_add(a, before_a);
    lane_add(b, before_b);
}

SHA_CODE void lane_end(struct lane lane, unsigned char ret_digest[SHA256_BYTES])
{
    const __m128i swap = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i high = _mm_unpackhi_epi64(lane.cdgh, lane.abef), low = _mm_unpacklo_epi64(lane.cdgh, lane.abef);
    _mm_storeu_si128((__m128i *)ret_digest, _mm_shuffle_epi8(high, swap));
    _mm_storeu_si128((__m128i *)(ret_digest + 16), _mm_shuffle_epi8(low, swap));
}

/* Pads in place; how many blocks it then is. */
static size_t pad(struct sha256_text text)
{
    size_t blocks = (text.len + 8) / BLOCK + 1;
    uint64_t bits = htobe64((uint64_t)text.len * 8);
    memset(text.data + text.len, 0, blocks * BLOCK - text.len);
    text.data[text.len] = 0x80;
    memcpy(text.data + blocks * BLOCK - sizeof bits, &bits, sizeof bits);
    return blocks;
}

__attribute__((target("sha,sse4.1,ssse3"))) static void two(const struct sha256_text texts[2],
                                                            unsigned char ret_digests[2][SHA256_BYTES])
{
    size_t left_a = pad(texts[0]), left_b = pad(texts[1]);
    const unsigned char *at_a = texts[0].data, *at_b = texts[1].data;
    struct lane a = lane_start(), b = lane_start();
    for (; left_a > 0 && left_b > 0; left_a--, left_b--, at_a += BLOCK, at_b += BLOCK)
        compress_two(&a, at_a, &b, at_b);
    for (; left_a > 0; left_a--, at_a += BLOCK)
        compress_one(&a, at_a);
    for (; left_b > 0; left_b--, at_b += BLOCK)
        compress_one(&b, at_b);
    lane_end(a, ret_digests[0]);
    lane_end(b, ret_digests[1]);
}

bool sha256_two_fast(void)
{
    unsigned a, b, c, d, seven_b;
    if (!__get_cpuid_count(7, 0, &a, &seven_b, &c, &d) || !__get_cpuid(1, &a, &b, &c, &d))
        return false;
    return (seven_b & bit_SHA) && (c & bit_SSSE3) && (c & bit_SSE4_1);
}
#else
static void two(const struct sha256_text texts[2], unsigned char ret_digests[2][SHA256_BYTES])
{
    (void)texts;
    (void)ret_digests;
}

bool sha256_two_fast(void)
{
    return false;
}
#endif

int sha256_two(struct sha256 *sha, bool fast, const struct sha256_text texts[2],
               unsigned char ret_digests[2][SHA256_BYTES], struct err *err)
{
    if (fast) {
        two(texts, ret_digests);
        return 0;
    }
    for (int i = 0; i < 2; i++)
        if (sha256_once(sha, (struct bytes){(const char *)texts[i].data, texts[i].len}, ret_digests[i], err) <
            0)
            return -1;
    return 0;
}
