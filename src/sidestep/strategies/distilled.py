"""End-to-end training of a student that has a teacher: attention maps along the way, logits at the end.

One phase of overlapping objectives, each of which reaches the input: attention transfer at stages
(Zagoruyko & Komodakis 2017), and at the last stage the true loss, mixed with the teacher's logits if
asked for (Hinton et al. 2015). Their losses are added up and pass backwards once.
"""

from sidestep.contract import Model, Objective, Phase
from sidestep.settings import Fraction, NonNegative, Positive, Stages
from sidestep.signals import attention_transfer, distillation, true_loss


def phases(
    model: Model,
    *,
    stages: Stages = (),
    attention: NonNegative = 1000.0,
    logits: Fraction = 0.0,
    temperature: Positive = 4.0,
) -> tuple[Phase, ...]:
    """The single phase.

    Args:
        model: the network with its shapes; the run names the teacher.
        stages: whose attention maps are compared with the teacher's; empty for all with maps.
        attention: weight of each of these losses; 0 for none.
        logits: share of the teacher's logits in the loss at the last stage.
        temperature: at which logits are compared.
    """
    maps = [index for index in range(model.last) if len(model.shapes[index + 1]) == 3]
    chosen = model.indices(stages) if stages else maps
    objectives = [
        Objective(attention_transfer.build(model.site(index), weight=attention), 0, index)
        for index in chosen
        if attention
    ]
    site = model.site(model.last)
    last = (
        distillation.build(site, share=logits, temperature=temperature)
        if logits
        else true_loss.build(site)
    )
    return (Phase("all", (*objectives, Objective(last, 0, model.last))),)
