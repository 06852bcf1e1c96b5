/** The domain as the simulated machines call it: one function for each way in. Broken variants replace some of them. */
import { recordDeadLetter } from "../../../shared/deliveries/dead-letters.ts";
import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import { takeMessages } from "../../../shared/deliveries/message-queue.ts";
import { acknowledge, giveBack, keepHidden } from "../../../shared/deliveries/message-receipts.ts";
import { redrive } from "../../../shared/deliveries/redrive.ts";
import { emit, emitBatch } from "../../../shared/emit.ts";
import { cancelRequest, findOwnRequest } from "../../../shared/end-request.ts";
import { listEvents, showEvent } from "../../../shared/history.ts";
import { reconcile } from "../../../shared/reconcile.ts";
import { openRequest } from "../../../shared/request.ts";
import { describeOutcome } from "../../../shared/request-outcome.ts";
import { respond } from "../../../shared/respond.ts";
import { changeSubscription, subscribe, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { waitForEnd } from "../../../shared/wait.ts";
import { deliverWebhook } from "../../../shared/webhooks/deliver.ts";

export const DOMAIN = {
  emit,
  emitBatch,
  openRequest,
  waitForEnd,
  describeOutcome,
  findOwnRequest,
  cancelRequest,
  respond,
  listEvents,
  showEvent,
  subscribe,
  changeSubscription,
  unsubscribe,
  takeMessages,
  acknowledge,
  giveBack,
  keepHidden,
  redrive,
  dispatchEvent,
  deliverWebhook,
  recordDeadLetter,
  reconcile,
};

export type Domain = typeof DOMAIN;
