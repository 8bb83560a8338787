/* The floor under `filters.py`: one EKF update as a plain C loop, the same work on the same layout.
 *
 * One update: 1 s Runge-Kutta step of state and transition (gravity with J2, turning Earth; J2 left out of the
 * gradient), covariance, then one plot of range, azimuth, elevation, one component after the other.
 * Eight tracks at once by GCC's vector types, which need no luck with the vectoriser.
 *   gcc -O3 -march=native -ffast-math -shared -fPIC floor.c -o floor.so -lm
 * The arctangent is that of S. Moshier's Cephes 2.8 (atan): reduction and rational coefficients.
 */
#include <math.h>

#define LANES 16
#define GM 3.986004418e14
#define J2 1.082626683553e-3
#define AXIS 6378137.0
#define TURN 7.292115e-5

typedef double D __attribute__((vector_size(64)));
typedef long long M8 __attribute__((vector_size(64)));

static inline D all(double x) { return (D){x, x, x, x, x, x, x, x}; }

static inline D pick(M8 mask, D yes, D no) { return (D)((mask & (M8)yes) | (~mask & (M8)no)); }

static inline D root(D x)
{
    D out;
    for (int i = 0; i < 8; i++)
        out[i] = sqrt(x[i]);
    return out;
}

static inline D arctangent(D x)
{
    D size = pick(x < 0.0, -x, x);
    M8 big = size > 2.414213562373095, middle = size > 0.66;
    D r = pick(big, -1.0 / size, pick(middle, (size - 1.0) / (size + 1.0), size));
    D base = pick(big, all(M_PI / 2), pick(middle, all(M_PI / 4), all(0.0))), z = r * r;
    D above = (((-8.750608600031904122785e-1 * z - 1.615753718733365076637e1) * z - 7.500855792314704667340e1) * z
               - 1.228866684490136173410e2) * z - 6.485021904942025371773e1;
    D below = ((((z + 2.485846490142306297962e1) * z + 1.650270098316988542046e2) * z + 4.328810604912902668951e2) * z
               + 4.853903996359136964868e2) * z + 1.945506571482613964425e2;
    D angle = base + r + r * (z * above / below);
    return pick(x < 0.0, -angle, angle);
}

static inline D angle(D east, D north)
{
    return arctangent(east / north) + pick(north > 0.0, all(0.0), pick(east >= 0.0, all(M_PI), all(-M_PI)));
}

typedef struct { D x, y, z; } V;

static inline V add(V a, V b, double s) { return (V){a.x + s * b.x, a.y + s * b.y, a.z + s * b.z}; }

static inline V mix(V a, V k1, V k2, V k3, V k4, double s)
{
    return (V){a.x + s * (k1.x + 2 * (k2.x + k3.x) + k4.x), a.y + s * (k1.y + 2 * (k2.y + k3.y) + k4.y),
               a.z + s * (k1.z + 2 * (k2.z + k3.z) + k4.z)};
}

static inline V force(V p, V v)
{
    D i2 = 1.0 / (p.x * p.x + p.y * p.y + p.z * p.z), c = -GM * i2 * root(i2);
    D k = 1.5 * J2 * AXIS * AXIS * i2, t = 5.0 * p.z * p.z * i2, a = c * (1.0 + k * (1.0 - t)) + TURN * TURN;
    return (V){a * p.x + 2 * TURN * v.y, a * p.y - 2 * TURN * v.x, c * (1.0 + k * (3.0 - t)) * p.z};
}

typedef struct { D xx, xy, xz, yy, yz, zz; } G;

static inline G gradient(V p)
{
    D i2 = 1.0 / (p.x * p.x + p.y * p.y + p.z * p.z), c = -GM * i2 * root(i2), g = -3.0 * c * i2;
    D d = c + TURN * TURN;
    return (G){g * p.x * p.x + d, g * p.x * p.y, g * p.x * p.z, g * p.y * p.y + d, g * p.y * p.z, g * p.z * p.z + c};
}

static inline V bend(G g, V p, V v)
{
    return (V){g.xx * p.x + g.xy * p.y + g.xz * p.z + 2 * TURN * v.y,
               g.xy * p.x + g.yy * p.y + g.yz * p.z - 2 * TURN * v.x, g.xz * p.x + g.yz * p.y + g.zz * p.z};
}

static inline void column(const G g[4], V p, V v, double h, D out[6])
{
    V a1 = bend(g[0], p, v), p2 = add(p, v, h / 2), v2 = add(v, a1, h / 2);
    V a2 = bend(g[1], p2, v2), p3 = add(p, v2, h / 2), v3 = add(v, a2, h / 2);
    V a3 = bend(g[2], p3, v3), p4 = add(p, v3, h), v4 = add(v, a3, h);
    V a4 = bend(g[3], p4, v4), q = mix(p, v, v2, v3, v4, h / 6), w = mix(v, a1, a2, a3, a4, h / 6);
    out[0] = q.x, out[1] = q.y, out[2] = q.z, out[3] = w.x, out[4] = w.y, out[5] = w.z;
}

static inline void component(D s[6], D p[6][6], const D h[3], D residual, double variance)
{
    D g[6], total = all(variance);
    for (int i = 0; i < 6; i++)
        g[i] = p[i][0] * h[0] + p[i][1] * h[1] + p[i][2] * h[2];
    for (int i = 0; i < 3; i++)
        total += h[i] * g[i];
    for (int i = 0; i < 6; i++) {
        D k = g[i] / total;
        s[i] += k * residual;
        for (int j = 0; j < 6; j++)
            p[i][j] -= k * g[j];
    }
}

typedef double U __attribute__((vector_size(64), aligned(8)));

static inline D at(const double *from, int row) { return *(const U *)(from + row * LANES); }

static inline __attribute__((always_inline)) void one(const double *restrict s_in, const double *restrict p_in,
    const double *restrict z_in, const double *restrict radar, double h, double *restrict s_out, double *restrict p_out)
{
    V p1 = {at(s_in, 0), at(s_in, 1), at(s_in, 2)}, v1 = {at(s_in, 3), at(s_in, 4), at(s_in, 5)};
    V a1 = force(p1, v1), p2 = add(p1, v1, h / 2), v2 = add(v1, a1, h / 2);
    V a2 = force(p2, v2), p3 = add(p1, v2, h / 2), v3 = add(v1, a2, h / 2);
    V a3 = force(p3, v3), p4 = add(p1, v3, h), v4 = add(v1, a3, h);
    V a4 = force(p4, v4), p = mix(p1, v1, v2, v3, v4, h / 6), v = mix(v1, a1, a2, a3, a4, h / 6);
    G g[4] = {gradient(p1), gradient(p2), gradient(p3), gradient(p4)};
    D f[6][6], P[6][6], M[6][6], s[6] = {p.x, p.y, p.z, v.x, v.y, v.z};
    D o = all(0.0), i1 = all(1.0);
    V zero = {o, o, o}, ex = {i1, o, o}, ey = {o, i1, o}, ez = {o, o, i1};
    column(g, ex, zero, h, f[0]), column(g, ey, zero, h, f[1]), column(g, ez, zero, h, f[2]);
    column(g, zero, ex, h, f[3]), column(g, zero, ey, h, f[4]), column(g, zero, ez, h, f[5]);
    for (int i = 0, k = 0; i < 6; i++)
        for (int j = i; j < 6; j++, k++)
            P[i][j] = P[j][i] = at(p_in, k);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            D t = all(0.0);
            for (int k = 0; k < 6; k++)
                t += f[k][i] * P[k][j];
            M[i][j] = t;
        }
    for (int i = 0; i < 6; i++)
        for (int j = i; j < 6; j++) {
            D t = all(0.0);
            for (int k = 0; k < 6; k++)
                t += M[i][k] * f[k][j];
            P[i][j] = P[j][i] = t;
        }
    D x = s[0] - radar[0], y = s[1] - radar[1], u = s[2] - radar[2];
    D e = radar[3] * x + radar[4] * y + radar[5] * u, n = radar[6] * x + radar[7] * y + radar[8] * u;
    D w = radar[9] * x + radar[10] * y + radar[11] * u, l2 = e * e + n * n, l = root(l2), r2 = l2 + w * w;
    D r = root(r2), az = at(z_in, 1) - angle(e, n), el = at(z_in, 2) - arctangent(w / l), c = -w / (l * r2);
    az = pick(az > M_PI, az - 2 * M_PI, az);
    az = pick(az < -M_PI, az + 2 * M_PI, az);
    D H[3][3];
    for (int j = 0; j < 3; j++) {
        H[0][j] = (e * radar[3 + j] + n * radar[6 + j] + w * radar[9 + j]) / r;
        H[1][j] = (n * radar[3 + j] - e * radar[6 + j]) / l2;
        H[2][j] = c * (e * radar[3 + j] + n * radar[6 + j]) + l / r2 * radar[9 + j];
    }
    component(s, P, H[0], at(z_in, 0) - r, radar[12]);
    component(s, P, H[1], az - H[1][0] * (s[0] - p.x) - H[1][1] * (s[1] - p.y) - H[1][2] * (s[2] - p.z), radar[13]);
    component(s, P, H[2], el - H[2][0] * (s[0] - p.x) - H[2][1] * (s[1] - p.y) - H[2][2] * (s[2] - p.z), radar[14]);
    for (int i = 0; i < 6; i++)
        *(U *)(s_out + i * LANES) = s[i];
    for (int i = 0, k = 0; i < 6; i++)
        for (int j = i; j < 6; j++, k++)
            *(U *)(p_out + k * LANES) = P[i][j];
}

void update(const double *restrict states, const double *restrict spreads, const double *restrict plots,
    const double *restrict radar, double step_s, long count, double *restrict states_out, double *restrict spreads_out)
{
    for (long block = 0; block * LANES < count; block++)
        for (int lane = 0; lane < LANES && block * LANES + lane < count; lane += 8)
            one(states + 6 * block * LANES + lane, spreads + 21 * block * LANES + lane,
                plots + 3 * block * LANES + lane, radar, step_s, states_out + 6 * block * LANES + lane,
                spreads_out + 21 * block * LANES + lane);
}
