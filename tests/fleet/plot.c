/* The picture, as SVG: all of it on a logarithmic scale, then what the target is about, larger. */
#include "fleet/figures.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 1080, HEIGHT = 800, MOST_POINTS = 1440, MINUTE_S = 60, HOUR_S = 3600 };

static const char *const colours[] = {"#0b6bb8", "#e06c00"};

typedef struct panel {
  double left, top, width, height;
  double from_s, to_s, zero_s; /* what is shown, and what the labels count from */
  double low, high;
  double label_s; /* seconds between two labels */
  bool logarithmic;
  bool in_hours;
} panel;

typedef double (*measure)(const fleet_life *life, const fleet_plan *plan, int64_t second, int64_t step_s);

static double rate(const fleet_life *life, const fleet_plan *plan, int64_t second, int64_t step_s) {
  (void)plan;
  return fleet_mean(life->seconds, second, second + step_s);
}

static double times_steady(const fleet_life *life, const fleet_plan *plan, int64_t second, int64_t step_s) {
  return rate(life, plan, second, step_s) / life->figures.steady;
}

static double percent_out(const fleet_life *life, const fleet_plan *plan, int64_t second, int64_t step_s) {
  (void)step_s;
  return 100.0 * life->seconds[second].out / plan->boxes;
}

/* ---- Where things are ---- */

static double x_of(const panel *p, double second) {
  return p->left + p->width * (second - p->from_s) / (p->to_s - p->from_s);
}

static double y_of(const panel *p, double value) {
  double low = p->logarithmic ? log10(p->low) : p->low;
  double high = p->logarithmic ? log10(p->high) : p->high;
  double share = ((p->logarithmic ? log10(value) : value) - low) / (high - low);
  return p->top + p->height * (1 - share);
}

/* ---- Parts ---- */

static void text(FILE *file, double x, double y, const char *more, const char *words) {
  (void)fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, more, words);
}

static void rule(FILE *file, double x1, double y1, double x2, double y2, const char *class) {
  (void)fprintf(file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2,
                y2, class);
}

static void band(FILE *file, const panel *p, double from_s, double to_s, const char *class,
                 const char *words) {
  double from = fmax(from_s, p->from_s);
  double to = fmin(to_s, p->to_s);
  if (from >= to)
    return;
  (void)fprintf(file, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n",
                x_of(p, from), p->top, x_of(p, to) - x_of(p, from), p->height, class);
  text(file, x_of(p, (from + to) / 2), p->top - 6, "class=\"small\" text-anchor=\"middle\"", words);
}

static void value_label(FILE *file, const panel *p, double value, const char *unit) {
  char words[32];
  (void)snprintf(words, sizeof words,
                 value >= 1e6   ? "%g M"
                 : value >= 1e3 ? "%g k"
                                : "%g%s",
                 value >= 1e6   ? value / 1e6
                 : value >= 1e3 ? value / 1e3
                                : value,
                 unit);
  text(file, p->left - 8, y_of(p, value) + 4, "text-anchor=\"end\"", words);
}

static void value_axis(FILE *file, const panel *p, const char *unit) {
  static const double steps[] = {0.5, 1, 2, 5, 10, 20, 50, 100};
  size_t s = 0;
  while (s + 1 < sizeof steps / sizeof steps[0] && (p->high - p->low) / steps[s] > 8)
    s++;
  for (double value = p->low; value <= p->high * 1.0001;
       value = p->logarithmic ? value * 10 : value + steps[s]) {
    rule(file, p->left, y_of(p, value), p->left + p->width, y_of(p, value), "grid");
    value_label(file, p, value, unit);
  }
}

static void time_axis(FILE *file, const panel *p) {
  double first = p->zero_s + ceil((p->from_s - p->zero_s) / p->label_s) * p->label_s;
  for (double s = first; s <= p->to_s; s += p->label_s) {
    char words[32];
    int seconds = (int)(s - p->zero_s);
    if (p->in_hours)
      (void)snprintf(words, sizeof words, "%d:%02d h", seconds / HOUR_S, seconds % HOUR_S / MINUTE_S);
    else
      (void)snprintf(words, sizeof words, seconds > 0 ? "+%d min" : "%d min", seconds / MINUTE_S);
    rule(file, x_of(p, s), p->top + p->height, x_of(p, s), p->top + p->height + 5, "axis");
    text(file, x_of(p, s), p->top + p->height + 19, "text-anchor=\"middle\"", words);
  }
}

static void frame(FILE *file, const panel *p, const fleet_plan *plan, const char *title, const char *unit) {
  band(file, p, (double)DOWN_MS / SECOND_MS, (double)fleet_up_ms(plan) / SECOND_MS, "down", "service down");
  band(file, p, (double)CUT_MS / SECOND_MS, (double)POWER_MS / SECOND_MS, "cut", "no power");
  value_axis(file, p, unit);
  time_axis(file, p);
  rule(file, p->left, p->top + p->height, p->left + p->width, p->top + p->height, "axis");
  rule(file, p->left, p->top, p->left, p->top + p->height, "axis");
  text(file, p->left, p->top - 24, "class=\"title\"", title);
}

static void curve(FILE *file, const panel *p, const fleet_life *life, const fleet_plan *plan, measure of,
                  const char *colour) {
  int64_t span = (int64_t)(p->to_s - p->from_s);
  int64_t step = span / MOST_POINTS > WINDOW_S ? span / MOST_POINTS : WINDOW_S;
  bool drawing = false;
  (void)fprintf(file,
                "<svg x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" viewBox=\"%.0f %.0f %.0f %.0f\">"
                "<path class=\"curve\" stroke=\"%s\" d=\"",
                p->left, p->top, p->width, p->height + 1, p->left, p->top, p->width, p->height + 1, colour);
  for (int64_t s = (int64_t)p->from_s; s + step <= (int64_t)p->to_s; s += step) {
    double value = of(life, plan, s, step);
    bool shown = !p->logarithmic || value >= p->low;
    if (shown)
      (void)fprintf(file, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(p, (double)s + (double)step / 2),
                    y_of(p, value));
    drawing = shown;
  }
  (void)fprintf(file, "\"/></svg>\n");
}

static void curves(FILE *file, const panel *p, const fleet_life lives[2], const fleet_plan *plan,
                   measure of) {
  for (int i = 1; i >= 0; i--)
    curve(file, p, &lives[i], plan, of, colours[i]);
}

static void legend(FILE *file, const fleet_life lives[2], double right, double y) {
  double x = right - 446;
  for (int i = 0; i < 2; i++) {
    (void)fprintf(file, "<rect x=\"%.0f\" y=\"%.0f\" width=\"22\" height=\"4\" rx=\"2\" fill=\"%s\"/>\n", x,
                  y - 6, colours[i]);
    text(file, x + 29, y, "", lives[i].client->words);
    x += 140;
  }
}

/* ---- The three ---- */

/* 1,000,000 */
static void group(uint32_t number, char *words, size_t size) {
  uint32_t thousands = number / 1000;
  if (thousands >= 1000)
    (void)snprintf(words, size, "%u,%03u,%03u", thousands / 1000, thousands % 1000, number % 1000);
  else
    (void)snprintf(words, size, "%u,%03u", thousands, number % 1000);
}

static double highest(const fleet_life lives[2]) {
  double most = 0;
  for (int i = 0; i < 2; i++)
    most = fmax(most, fmax(lives[i].figures.during, fmax(lives[i].figures.after, lives[i].figures.power_on)));
  return pow(10, ceil(log10(fmax(most, 10))));
}

static void draw_all(FILE *file, const fleet_life lives[2], const fleet_plan *plan) {
  panel p = {.left = 70, .top = 110, .width = 980, .height = 280, .to_s = (double)(plan->hours * HOUR_S)};
  char title[128];
  char boxes[16];
  group(plan->boxes, boxes, sizeof boxes);
  p.low = plan->boxes >= 200000 ? 10 : 1;
  p.high = highest(lives);
  p.label_s = plan->hours <= 6 ? HOUR_S / 2 : 2 * HOUR_S;
  p.logarithmic = p.in_hours = true;
  frame(file, &p, plan, "Refreshes a second, as the service sees them (logarithmic)", "");
  curves(file, &p, lives, plan, rate);
  legend(file, lives, p.left + p.width, p.top - 24);
  bool minutes = plan->outage_s % MINUTE_S == 0;
  (void)snprintf(title, sizeof title,
                 "%s boxes, a %d-%s outage, and a power cut after which all boot within a minute", boxes,
                 (int)(minutes ? plan->outage_s / MINUTE_S : plan->outage_s), minutes ? "minute" : "second");
  text(file, p.left, 40, "class=\"head\"", title);
  if (plan->limit > 0) {
    (void)snprintf(title, sizeof title,
                   "the service answers %g times the steady rate, and 429 with Retry-After beyond",
                   plan->limit);
    text(file, p.left, 62, "", title);
  }
}

static void draw_after(FILE *file, const fleet_life lives[2], const fleet_plan *plan) {
  const fleet_figures *ours = &lives[0].figures;
  panel p = {
      .left = 70, .top = 490, .width = 470, .height = 250, .zero_s = (double)fleet_up_ms(plan) / SECOND_MS};
  double most = fmax(ours->during, ours->after) / ours->steady;
  p.from_s = p.zero_s - 20 * MINUTE_S;
  p.to_s = p.zero_s + HOUR_S;
  p.high = ceil(fmax(most * 1.1, 3));
  p.label_s = 20 * MINUTE_S;
  frame(file, &p, plan, "Around the outage, in multiples of the steady rate", " x");
  curves(file, &p, lives, plan, times_steady);
  rule(file, p.left, y_of(&p, TARGET_TIMES), p.left + p.width, y_of(&p, TARGET_TIMES), "target");
  text(file, p.left + p.width + 5, y_of(&p, TARGET_TIMES) + 4, "class=\"aim\"", "target");
}

static void draw_back(FILE *file, const fleet_life lives[2], const fleet_plan *plan) {
  panel p = {
      .left = 630, .top = 490, .width = 420, .height = 250, .zero_s = (double)fleet_up_ms(plan) / SECOND_MS};
  double most = 0;
  for (int i = 0; i < 2; i++)
    most = fmax(most, 100.0 * lives[i].figures.out / plan->boxes);
  p.from_s = p.zero_s - 12 * MINUTE_S;
  p.to_s = p.zero_s + 15 * MINUTE_S;
  p.high = 5 * ceil(fmax(most * 1.1, 1) / 5);
  p.label_s = 5 * MINUTE_S;
  frame(file, &p, plan, "Boxes cut off: a refresh failed, none worked since", " %");
  curves(file, &p, lives, plan, percent_out);
  double x = x_of(&p, p.zero_s + TARGET_BACK_S);
  rule(file, x, p.top, x, p.top + p.height, "target");
  text(file, x + 6, p.top + 14, "class=\"aim\"", "all back");
  text(file, x + 6, p.top + 30, "class=\"aim\"", "by here");
}

bool fleet_draw(const fleet_life lives[2], const fleet_plan *plan, const char *path) {
  FILE *file = fopen(path, "w");
  if (file == NULL)
    return false;
  (void)fprintf(
      file,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
      "<style>text{font:13px 'DejaVu Sans',Verdana,sans-serif;fill:#444}.head{font-size:19px;"
      "font-weight:bold;fill:#222}.title{font-size:14px;font-weight:bold;fill:#222}.small{font-size:12px}"
      ".grid{stroke:#e3e3e3}.axis{stroke:#777}.curve{fill:none;stroke-width:1.8;stroke-linejoin:round}"
      ".target{stroke:#2a8a3c;stroke-width:1.6;stroke-dasharray:7 "
      "5}.aim{fill:#2a8a3c;paint-order:stroke;stroke:#fff;stroke-width:4px}"
      ".down{fill:#d62728;fill-opacity:.13}.cut{fill:#555;fill-opacity:.13}</style>\n"
      "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
      WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
  draw_all(file, lives, plan);
  draw_after(file, lives, plan);
  draw_back(file, lives, plan);
  (void)fprintf(file, "</svg>\n");
  bool whole = ferror(file) == 0;
  return fclose(file) == 0 && whole;
}
