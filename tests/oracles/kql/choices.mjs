// What the documentation of Kusto leaves open, decided at random: no hit of a query may depend on any of it.
//
// A query is executed with several seeds, and the results have to be equal.

/** The open decisions of one execution. */
export class Choices {
  constructor(seed) {
    this.state = (seed * 2654435761 + 1) >>> 0;
    // The documentation contradicts itself on comparisons with null: no answer, or an ordinary inequality.
    this.nullIsAnswer = seed % 2 === 0;
    // `bin` of a time counts from an origin that is documented nowhere.
    this.binOrigin = seed % 2 === 0 ? 0n : -621_355_968_000_000_000n;
    // An empty array is expanded to one row without a value, or to none.
    this.emptyExpands = seed % 2 === 0;
    // A sum of no value at all.
    this.emptySum = seed % 2 === 0 ? null : 0n;
    // Operators that ignore case: letters beyond ASCII, or those alone.
    this.foldsAscii = seed % 2 === 0;
    // Text such as "7.9" or " 7" as a whole number.
    this.readsLoosely = seed % 2 === 1;
  }

  /** A number from 0 on, below a limit. */
  below(limit) {
    // xorshift32
    this.state ^= this.state << 13;
    this.state >>>= 0;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state % limit;
  }

  /** A list in another order. */
  shuffled(list) {
    const result = [...list];
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [result[last], result[other]] = [result[other], result[last]];
    }
    return result;
  }

  /** A text as operators that ignore case see it. */
  folded(text) {
    if (this.foldsAscii) return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    return text.replace(/\p{Lu}/gu, (letter) => letter.toLowerCase());
  }
}
