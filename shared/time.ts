/** An instant as the bus writes it: ISO 8601 in UTC with milliseconds. @param timeMs epoch milliseconds */
export const isoAt = (timeMs: number): string => new Date(timeMs).toISOString();
