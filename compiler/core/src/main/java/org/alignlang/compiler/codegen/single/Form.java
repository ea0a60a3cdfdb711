package org.alignlang.compiler.codegen.single;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A value of every element of a loop as a sum of products of vector variables with scalars. Sums,
 * differences and scalings are done here, in double precision and once per token, and not in the
 * loop: a Kullback-Leibler gradient of ten operations becomes {@code e (a t + b q + c)}.
 *
 * @param terms what is added up; the product of nothing is the constant
 */
record Form(Map<Product, Scalar> terms) {

  /**
   * A product of vector variables.
   *
   * @param weight an exponential of logits; where it is 0 the product is 0, whatever the rest is
   * @param variable another variable
   */
  record Product(@Nullable String weight, @Nullable String variable) {
    static final Product NOTHING = new Product(null, null);

    /** 1 at the taken token and 0 elsewhere; no variable of the loop. */
    static final Product TAKEN = new Product(null, "1 at the taken token");
  }

  static Form constant(Scalar value) {
    return value.is(0) ? new Form(Map.of()) : new Form(Map.of(Product.NOTHING, value));
  }

  static Form of(Product product, Scalar factor) {
    return new Form(Map.of(product, factor));
  }

  static Form variable(String name) {
    return of(new Product(null, name), Scalar.ONE);
  }

  Form plus(Form other) {
    Map<Product, Scalar> sum = new LinkedHashMap<>(terms);
    other.terms.forEach((product, factor) -> {
      Scalar total = sum.getOrDefault(product, Scalar.ZERO).plus(factor);
      if (total.is(0)) {
        sum.remove(product);
      } else {
        sum.put(product, total);
      }
    });
    return new Form(sum);
  }

  Form minus(Form other) {
    return plus(other.times(Scalar.of(-1)));
  }

  Form times(Scalar by) {
    if (by.is(0)) {
      return new Form(Map.of());
    }
    Map<Product, Scalar> scaled = new LinkedHashMap<>();
    terms.forEach((product, factor) -> scaled.put(product, factor.times(by)));
    return new Form(scaled);
  }

  /** The constant that this is, if it is one. */
  @Nullable Scalar asScalar() {
    if (terms.isEmpty()) {
      return Scalar.ZERO;
    }
    return terms.size() == 1 ? terms.get(Product.NOTHING) : null;
  }

  /** The constant part. */
  Scalar constant() {
    return terms.getOrDefault(Product.NOTHING, Scalar.ZERO);
  }

  /** All but one product. */
  Form without(Product product) {
    Map<Product, Scalar> rest = new LinkedHashMap<>(terms);
    rest.remove(product);
    return new Form(rest);
  }

  /** Whether no product has a weight and none is the taken token. */
  boolean isPlain() {
    return terms.keySet().stream()
        .allMatch(product -> product.weight() == null && !product.equals(Product.TAKEN));
  }

  /** A plain form times a weight. */
  Form weighted(String weight, Scalar by) {
    Map<Product, Scalar> products = new LinkedHashMap<>();
    terms.forEach((product, factor) ->
        products.put(new Product(weight, product.variable()), factor.times(by)));
    return new Form(products);
  }
}
