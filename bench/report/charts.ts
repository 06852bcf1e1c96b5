/** Pictures as SVG: distributions, and cost over size. Drawn by Apache ECharts, without a browser. */

import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { Picture, Series } from "../contract.ts";

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const NO_BREAK_SPACE = "\u00a0";
const SIZE = { width: 760, height: 440 };
/** More points than a picture has pixels tell nothing. */
const MAX_POINTS = 400;
/** The colours of Okabe and Ito, which most people can tell apart (https://jfly.uni-koeln.de/color/). */
const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"];

export interface Axis {
  /** With its unit: `time in ms`. */
  readonly name: string;
  readonly isLogarithmic?: boolean;
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Lines over a common axis: calls over the number of subscribers, cost over size. */
export function linesPicture(
  { name, title }: Pick<Picture, "name" | "title">,
  { x, y, lines, isStepped = false }: { x: Axis; y: Axis; lines: readonly Line[]; isStepped?: boolean },
): Picture {
  const series = lines.map((line) => ({
    type: "line",
    name: line.name,
    data: line.points,
    showSymbol: line.points.length <= 20,
    symbolSize: 6,
    ...(isStepped ? { step: "end" } : {}),
  }));
  return { name, title, svg: draw(title, x, y, series) };
}

/** For each series, which share of its values is at most so large. */
export function distributionPicture(
  about: Pick<Picture, "name" | "title">,
  { x, series }: { x: Axis; series: readonly Series[] },
): Picture {
  const lines = series.map(({ name, values }) => ({ name, points: cumulative(values) }));
  return linesPicture(about, { x, y: { name: "share of all that took at most so long" }, lines, isStepped: true });
}

function cumulative(values: readonly number[]): [number, number][] {
  const sorted = [...values].sort((a, b) => a - b);
  const step = Math.max(1, Math.floor(sorted.length / MAX_POINTS));
  const points = sorted.map((value, i): [number, number] => [value, (i + 1) / sorted.length]);
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

/** Rows that a legend takes below a picture, about: by the letters of its names, each with a mark and room around it. */
function legendRows(names: readonly string[]): number {
  const width = names.reduce((sum, name) => sum + 70 + 7 * name.length, 0);
  return Math.ceil(width / (SIZE.width - 140));
}

function draw(
  title: string,
  x: Axis,
  y: Axis,
  series: readonly { readonly name: string; readonly [option: string]: unknown }[],
): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, ...SIZE });
  const option: EChartsCoreOption = {
    animation: false,
    backgroundColor: "#ffffff",
    color: COLOURS,
    title: { text: title, left: "center", top: 8, textStyle: { fontSize: 15 } },
    // Room between names: the font of whoever looks at it may be wider than what is reckoned with here.
    legend: { bottom: 6, left: 60, right: 20, itemGap: 12, formatter: `{name}${NO_BREAK_SPACE.repeat(6)}` },
    grid: { left: 70, right: 30, top: 50, bottom: 60 + 26 * legendRows(series.map(({ name }) => name)) },
    xAxis: axisOption(x, 30),
    yAxis: axisOption(y, 50),
    series,
  };
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return withoutHovering(svg);
}

/** What a pointer does to it is no part of a picture; and its names, counted over all pictures, would differ each time. */
const withoutHovering = (svg: string): string =>
  svg
    .replace(/<style\s*>.*?<\/style>/s, "")
    .replace(/ class="[^"]*"| pointer-events="[^"]*"/g, "")
    .replace(/\bzr\d+-c/g, "c");

const axisOption = ({ name, isLogarithmic = false }: Axis, nameGap: number): object => ({
  type: isLogarithmic ? "log" : "value",
  name,
  nameLocation: "middle",
  nameGap,
  scale: true,
});
