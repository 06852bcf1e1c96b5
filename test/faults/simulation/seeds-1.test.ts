import { SEEDS_PER_FILE, seedsHold } from "./seeds.suite.ts";

seedsHold(0 * SEEDS_PER_FILE);
