/* The map tells the figures of the area that is tapped; the chart draws the table. Without scripts the table says it all. */
const here = document.querySelector("[data-summary-output]");
for (const area of document.querySelectorAll(".sketch [data-summary]")) {
  const tell = () => {
    document.querySelectorAll(".sketch .chosen").forEach((other) => other.classList.remove("chosen"));
    area.classList.add("chosen");
    here.textContent = area.dataset.summary;
  };
  area.addEventListener("click", tell);
  area.addEventListener("mouseenter", tell);
}

const chart = document.querySelector("[data-chart]");
if (chart) {
  /* The library is large: it is fetched when the reader comes near the chart. */
  chart.closest("[data-chart-card]").hidden = false;
  new IntersectionObserver((seen, watcher) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    const script = document.createElement("script");
    script.src = chart.dataset.library;
    script.onload = () => { draw(); chart.closest("[data-chart-card]").classList.add("drawn"); };
    script.onerror = () => { chart.closest("[data-chart-card]").hidden = true; };
    document.head.append(script);
  }, { rootMargin: "300px" }).observe(chart.closest("[data-chart-card]"));
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const rows = [...document.querySelectorAll(chart.dataset.chart)].filter((row) => row.dataset.public !== "—").reverse();
  const goal = (name, value, from) => ({ silent: true, symbol: "none", lineStyle: { color: from, width: 2, type: "solid" }, label: { formatter: `${chart.dataset.targetName} ${value}%`, color: colour("--ink"), position: "end" }, data: [{ xAxis: Number(value), name }] });
  const bars = (name, key, from, target) => ({ name, type: "bar", barGap: "10%", itemStyle: { color: from, borderRadius: [0, 4, 4, 0] }, data: rows.map((row) => Number(row.dataset[key])), ...(target ? { markLine: goal(name, target, from) } : {}) });
  const view = window.echarts.init(chart, null, { renderer: "svg" });
  view.setOption({
    aria: { enabled: true, decal: { show: true } },
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    textStyle: { fontFamily: style.getPropertyValue("--font"), color: colour("--ink") },
    legend: { top: 0, textStyle: { color: colour("--ink") } },
    grid: { left: 8, right: 24, top: 56, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" }, valueFormatter: (value) => `${value.toFixed(2)}%` },
    xAxis: { type: "value", max: 100, axisLabel: { formatter: "{value}%", color: colour("--ink-soft") }, splitLine: { lineStyle: { color: colour("--line") } } },
    yAxis: { type: "category", data: rows.map((row) => row.dataset.name), axisLabel: { color: colour("--ink"), interval: 0 }, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--line") } } },
    series: [
      bars(chart.dataset.publicName, "public", colour("--b5"), chart.dataset.public),
      bars(chart.dataset.inclusiveName, "inclusive", colour("--b1"), chart.dataset.inclusive),
    ],
  });
  addEventListener("resize", () => view.resize());
}
