import { SEEDS_PER_FILE, seedsHold } from "./seeds.suite.ts";

seedsHold(3 * SEEDS_PER_FILE);
