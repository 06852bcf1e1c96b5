import { SEEDS_PER_FILE, seedsHold } from "./seeds.suite.ts";

seedsHold(1 * SEEDS_PER_FILE);
