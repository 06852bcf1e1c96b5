import { SEEDS_PER_FILE, seedsHold } from "./seeds.suite.ts";

seedsHold(2 * SEEDS_PER_FILE);
