/**
 * What is measured of numbers and responses when they are there: fronts, ranks, calibration, texts.
 */
@NullMarked
package org.alignlang.runtime.metric;

import org.jspecify.annotations.NullMarked;
