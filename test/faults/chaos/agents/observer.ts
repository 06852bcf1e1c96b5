import { subscriber } from "../../../../client/subscriber.ts";
import { noteHandOver } from "./hand-over.ts";

export const handler = subscriber(async (event, context) => noteHandOver(context.subscriber, event.id));
