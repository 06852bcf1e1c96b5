/** Fills a table in a process of its own, whose memory goes with it: `fill.ts <folder of the LevelDB> <events>`. */
import { bulkLoad } from "./bulk-load.ts";
import { itemsAt } from "./items.ts";

const [path = "", count = ""] = process.argv.slice(2);
const events = Number(count);
await bulkLoad({
  path,
  count: events,
  itemsAt: (age) => itemsAt(age, events),
  progress: (text) => console.log(text),
});
