"""Tools of latents against closed forms: linear generators, arcs, spheres, perfect codes."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.data.scenes.scenes import Scenes
from ganvas.dissect.latents.dci_mig import disentanglement, with_floor
from ganvas.dissect.latents.inversion import inverted, nearest_start, psnr, summary, trained_encoder
from ganvas.dissect.latents.jacobian import effective_rank, mean_gram, rms_change
from ganvas.dissect.latents.latent_directions import first_map, labelled, pca, random_directions, sefa
from ganvas.dissect.latents.nearest_pictures import memorised
from ganvas.dissect.latents.scene_factors import scene_factors
from ganvas.dissect.latents.walks import circle, even_pace, lerp, lerp_angle, picture_change, slerp


def randn(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def test_sefa_is_orthonormal_descending_and_its_values_are_squared_lengths(rng):
    a = randn(rng, 40, 6)
    found = sefa(a)
    assert_close(found.directions @ found.directions.T, torch.eye(6, dtype=torch.float64))
    assert (found.values.diff() <= 0).all()
    assert_close((a @ found.directions.T).square().sum(0), found.values)
    assert_close(sefa(3 * a).values, 9 * found.values)
    assert_close(sefa(a[torch.randperm(40, generator=rng)]).directions, found.directions)


def test_the_code_of_sefa_gives_every_output_one_weight(rng):
    a = randn(rng, 40, 6)
    scaled = a * torch.rand(40, 1, generator=rng, dtype=torch.float64)
    assert_close(sefa(scaled, form="code").directions, sefa(a, form="code").directions)
    assert not torch.allclose(sefa(scaled).values, sefa(a).values)
    largest = sefa(a).directions.gather(1, sefa(a).directions.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()


def test_pca_finds_the_directions_of_a_linear_generator_exactly(rng):
    # x = z U S V: the principal components are the rotated axes, so the latents' directions are U's columns.
    u = torch.linalg.qr(randn(rng, 4, 4)).Q
    v = torch.linalg.qr(randn(rng, 9, 4)).Q.T
    z = randn(rng, 5000, 4)
    z = z - z.mean(0)
    z = z @ torch.linalg.inv(torch.linalg.cholesky(z.T @ z / len(z))).T  # Exactly white.
    found = pca(z, z @ u @ torch.diag(torch.tensor([8.0, 4.0, 2.0, 1.0]).double()) @ v, count=3)
    assert_close((found.directions @ u).abs(), torch.eye(4, dtype=torch.float64)[:3], rtol=0, atol=1e-8)
    assert_close(found.values, torch.tensor([64.0, 16.0, 4.0]).double() / 85)


def test_a_labelled_direction_of_a_linear_factor_is_its_gradient(rng):
    z, way = randn(rng, 300, 5), torch.tensor([0.0, 3.0, 0.0, 4.0, 0.0]).double()
    found = labelled(z, torch.stack([z @ way + 7, torch.ones(300).double()], 1))
    assert_close(found.directions[0], way / 5)
    assert float(found.values[0]) == pytest.approx(1.0)
    assert float(found.values[1]) == 0.0


def test_the_first_map_is_that_of_dense_layers_and_of_transposed_convolutions():
    dense, up = nn.Sequential(nn.Linear(6, 10), nn.Linear(10, 6)), nn.ConvTranspose2d(6, 4, 3)
    assert first_map(dense, torch.zeros(1, 6)).shape == (10, 6)
    assert_close(first_map(up, torch.zeros(1, 6))[:, 2], up.weight[2].flatten())
    with pytest.raises(UserError, match="no first map"):
        first_map(nn.Sequential(nn.Linear(5, 3)), torch.zeros(1, 6))


def test_a_straight_line_runs_along_the_arc_at_the_speed_of_its_closed_form(rng):
    a, b = randn(rng, 2, 8)
    a, b = a / a.norm(), b / b.norm()
    theta, t = math.acos(float(a @ b)), torch.linspace(0, 1, 11, dtype=torch.float64)
    line = lerp(a, b, t)
    angles = torch.acos(((line / line.norm(dim=1, keepdim=True)) @ a).clamp(-1, 1))
    assert_close(angles, lerp_angle(theta, t), rtol=0, atol=1e-7)
    # studio.md: at 100.4 degrees a quarter of the line is .1916 of the arc.
    assert float(lerp_angle(math.radians(100.4), torch.tensor([0.25])) / math.radians(100.4)) == pytest.approx(
        0.1916, abs=1e-3
    )
    assert float(line[5].norm()) == pytest.approx(math.cos(theta / 2))


def test_a_great_circle_begins_and_ends_at_its_codes_and_turns_evenly(rng):
    a, b = randn(rng, 2, 8)
    way = slerp(a, b, torch.linspace(0, 1, 9))
    assert_close(way[0], a)
    assert_close(way[-1], b)
    unit = way / way.norm(dim=1, keepdim=True)
    steps = (unit[1:] * unit[:-1]).sum(1)
    assert_close(steps, steps[:1].expand(8))
    assert_close(way.norm(dim=1), torch.linspace(float(a.norm()), float(b.norm()), 9, dtype=torch.float64))


def test_opposite_codes_and_codes_of_zeros_are_refused(rng):
    a = randn(rng, 4)
    with pytest.raises(UserError, match="opposite"):
        slerp(a, -2 * a, torch.tensor([0.5]))
    with pytest.raises(UserError, match="zeros"):
        slerp(a, 0 * a, torch.tensor([0.5]))
    with pytest.raises(UserError, match="in line"):
        circle(a, 3 * a, 4)


def test_a_circle_keeps_its_distance_and_closes(rng):
    centre, way = randn(rng, 2, 6)
    walk = circle(centre, way, 12)
    assert_close(walk.norm(dim=1), centre.norm().expand(12))
    assert_close(walk[0], centre)
    assert_close((walk - walk.roll(1, 0)).norm(dim=1), (walk[1] - walk[0]).norm().expand(12))


def test_an_even_pace_parts_the_pictures_change_evenly():
    # The picture is the square of the position: even changes are square roots.
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)
    pictures = t.square()[:, None, None, None].expand(-1, 1, 2, 2)
    assert_close(
        even_pace(picture_change(pictures[1:], pictures[:-1]), 5),
        torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]).double().sqrt(),
        rtol=0,
        atol=1e-3,
    )


def linear(a):
    return lambda z: (z.to(a) @ a.T).view(len(z), 1, 5, 4)


def test_the_mean_gram_of_a_linear_generator_is_that_of_its_matrix(rng):
    a = torch.randn(20, 6, generator=rng)
    z = torch.randn(3, 6, generator=rng)
    assert_close(mean_gram(linear(a), z), (a.T @ a).double() / 20, rtol=1e-3, atol=1e-4)
    assert effective_rank(torch.eye(7)) == pytest.approx(7.0)
    top = sefa(a).directions[0]
    expected = 3.0 * float((a.double() @ top).square().mean().sqrt())
    assert rms_change(linear(a), z, top) == pytest.approx(expected, rel=1e-4)
    assert_close(random_directions(4, 6, rng).norm(dim=1), torch.ones(4, dtype=torch.float64))


def test_inversion_from_the_truth_stays_there_and_from_elsewhere_comes_near(rng):
    a, z = torch.randn(20, 6, generator=rng), torch.randn(5, 6, generator=rng)
    images = linear(a)(z)
    stayed = inverted(linear(a), images, z, prior="other", steps=5)
    assert torch.equal(stayed.z, z)
    near = inverted(linear(a), images, z + 1e-3, prior="other", steps=3)  # Steps of 0.1 lead away from there.
    assert (near.psnr >= near.start_psnr).all()
    start = torch.randn(5, 6, generator=rng)
    found = inverted(linear(a), images, start, prior="other", steps=300)
    assert (found.psnr >= found.start_psnr).all()
    assert found.psnr.min() > 40
    whole, part = (inverted(linear(a), images[:n], start[:n], prior="other", steps=20) for n in (5, 2))
    assert_close(part.z, whole.z[:2])  # Each picture by itself.


def test_latents_stay_where_the_prior_has_them(rng):
    a = torch.randn(20, 6, generator=rng)
    images = 9 * linear(a)(torch.randn(3, 6, generator=rng))
    start = torch.randn(3, 6, generator=rng)
    normal = inverted(linear(a), images, start, prior="normal", steps=40)
    assert_close(normal.z.norm(dim=1), torch.full((3,), math.sqrt(6)))
    uniform = inverted(linear(a), images, start.clamp(-1, 1), prior="uniform", steps=40)
    assert uniform.z.abs().max() <= 1


def test_the_nearest_start_is_the_latent_itself_where_it_is_among_the_guesses(rng):
    a, z = torch.randn(20, 6, generator=rng), torch.randn(9, 6, generator=rng)
    assert torch.equal(nearest_start(linear(a), linear(a)(z[4:6]), z), z[4:6])


def test_psnr_of_a_known_error():
    assert_close(psnr(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.2)), torch.tensor([20.0]))
    assert summary([10.0, 30.0, 40.0]) == (30.0, pytest.approx(2 / 3))


def test_an_encoder_learns_and_is_a_function_of_its_seed(rng):
    a = torch.randn(20, 3, generator=rng)

    def latents(n, generator):
        return torch.randn(n, 3, generator=generator)

    z = latents(64, rng)
    short, long = (trained_encoder(linear(a), latents, prior="other", steps=steps) for steps in (2, 50))
    images = linear(a)(z)
    assert (long(images) - z).square().mean() < 0.5 * (short(images) - z).square().mean()
    again = trained_encoder(linear(a), latents, prior="other", steps=2)
    assert torch.equal(again(images), short(images))


def test_a_set_is_nearest_to_itself_and_fresh_pictures_are_nearer_to_it_half_the_time(rng):
    seen, unseen, fresh = (torch.randn(400, 12, generator=rng) for _ in range(3))
    assert memorised(seen, seen, unseen).share == 1.0
    found = memorised(fresh, seen, unseen)
    assert abs(found.share - 0.5) < 3 * found.error
    assert found.error == pytest.approx(0.025)
    assert memorised(fresh, seen, seen).share == 0.5
    assert memorised(seen, seen, unseen).nearest.tolist() == list(range(400))
    with pytest.raises(UserError, match="as many of each"):
        memorised(fresh, seen, unseen[:10])


def test_a_perfect_code_scores_one_and_shuffled_factors_score_the_floor(rng):
    factors = torch.rand(2000, 4, generator=rng)
    perfect = with_floor(factors[:, [2, 0, 3, 1]] * 5 - 1, factors, rng)
    for name in ("disentanglement", "completeness", "informativeness"):
        assert vars(perfect.found)[name] == pytest.approx(1.0, abs=0.02)
    assert perfect.found.mig > 0.9
    assert perfect.floor.informativeness < 0.02
    assert perfect.floor.mig < 0.05
    assert perfect.floor_deviation.mig < 0.02


def test_turning_a_perfect_code_by_45_degrees_lowers_all_but_informativeness(rng):
    factors = torch.rand(2000, 2, generator=rng)
    turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]]) / math.sqrt(2)
    plain, turned = disentanglement(factors, factors), disentanglement(factors @ turn, factors)
    assert turned.disentanglement < 0.1 < plain.disentanglement
    assert turned.mig < 0.2 < plain.mig
    assert turned.informativeness == pytest.approx(plain.informativeness, abs=1e-6)


def test_factors_of_scenes_are_numbers_and_one_for_each_landscape_and_time():
    columns = Scenes(8, 8, count=200).factors(np.arange(200))
    names, values = scene_factors(columns)
    of = dict(zip(names, values.T, strict=True))
    assert_close(of["meadow"] + of["desert"] + of["winter"] + of["coast"], torch.ones(200))
    assert_close(of["horizon"], torch.from_numpy(columns["horizon"]))
    names, _ = scene_factors(Scenes(8, 8, count=200, time="day").factors(np.arange(200)))
    assert "day" not in names  # What never changes is no factor.
