/** The deployed subscriber that is asked. */
import { subscriber } from "../../../client/subscriber.ts";
import { replyTo } from "../message.ts";

export const handler = subscriber<never, object>((event) => replyTo(event.data));
