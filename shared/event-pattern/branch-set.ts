/** A set of a pattern's branches, by their numbers, as bits: what holds for one branch is found out for all at once. */
export class BranchSet {
  private readonly bits: Uint32Array;

  private constructor(bits: Uint32Array) {
    this.bits = bits;
  }

  /** What each operation on it goes through. */
  get words(): number {
    return this.bits.length;
  }

  static none(branches: number): BranchSet {
    return new BranchSet(new Uint32Array(Math.ceil(branches / 32)));
  }

  static all(branches: number): BranchSet {
    const all = BranchSet.none(branches);
    for (let branch = 0; branch < branches; branch++) all.add(branch);
    return all;
  }

  /** None of the same branches. */
  empty(): BranchSet {
    return new BranchSet(new Uint32Array(this.bits.length));
  }

  copy(): BranchSet {
    return new BranchSet(this.bits.slice());
  }

  has(branch: number): boolean {
    return (this.word(branch >> 5) & (1 << (branch & 31))) !== 0;
  }

  isEmpty(): boolean {
    return !this.meets(this);
  }

  /** Whether a branch is in both. */
  meets(others: BranchSet): boolean {
    for (let i = 0; i < this.bits.length; i++) if ((this.word(i) & others.word(i)) !== 0) return true;
    return false;
  }

  add(branch: number): void {
    this.bits[branch >> 5] = this.word(branch >> 5) | (1 << (branch & 31));
  }

  addAll(others: BranchSet): void {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = this.word(i) | others.word(i);
  }

  removeAll(others: BranchSet): void {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = this.word(i) & ~others.word(i);
  }

  without(others: BranchSet): BranchSet {
    const rest = this.copy();
    rest.removeAll(others);
    return rest;
  }

  private word(i: number): number {
    return this.bits[i] as number;
  }
}
