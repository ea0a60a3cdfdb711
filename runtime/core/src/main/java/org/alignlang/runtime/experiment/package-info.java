/** Experiments: plans, training, records and claims. */
@NullMarked
package org.alignlang.runtime.experiment;

import org.jspecify.annotations.NullMarked;
