/** Policies: distributions over responses that give logits and take gradients. */
@NullMarked
package org.alignlang.runtime.policy;

import org.jspecify.annotations.NullMarked;
