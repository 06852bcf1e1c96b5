/**
 * Moves items about in the work index until it is killed, and tells its parent of each move that the table acknowledged.
 *
 * Arguments: the table's folder, the first place.
 */

import { openTable } from "../../local/table/open.ts";
import { TABLE_NAME } from "../../local/table.ts";

const [folder = "", from = ""] = process.argv.slice(2);
const ITEMS = 40;

const { calls } = await openTable(folder, TABLE_NAME);
let last = Number(from);

async function moveOn(item: string): Promise<void> {
  for (;;) {
    const place = ++last;
    await calls.putItem({
      TableName: TABLE_NAME,
      Item: { pk: { S: item }, sk: { S: "x" }, work_pk: { S: "work" }, work_sk: { S: String(place) } },
    });
    process.send?.({ item, place });
  }
}

process.on("disconnect", () => process.exit(1));
await Promise.all(Array.from({ length: ITEMS }, (_, n) => moveOn(`item ${n}`)));
